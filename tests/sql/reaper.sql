-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who ends leases trusts only what it has seen: outages of the database, the brake, and leases that cannot
-- be ended.
\ir lib/begin.psql
SELECT pg_temp.spare('q2') \g /dev/null
CREATE FUNCTION pg_temp.reap(p_limit int DEFAULT 100) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(reason || ' ' || n, ', ' ORDER BY reason)
    FROM (SELECT reason, count(*) AS n FROM tfx.reap_leases(p_limit) GROUP BY reason) r
$$;
-- A slow machine may lose some seconds between two statements.
CREATE FUNCTION pg_temp.lives(n int, p_s int, p_name text) RETURNS text LANGUAGE sql AS $$
    SELECT ok(abs(extract(epoch FROM lease_until - clock_timestamp()) - p_s) < 15, p_name)
    FROM tf.lease WHERE job_id = pg_temp.id(n)
$$;
CREATE FUNCTION pg_temp.last_run(p_ago interval) RETURNS void LANGUAGE sql AS
    $$ UPDATE tf.reaper SET last_run = clock_timestamp() - p_ago $$;
-- Job n runs on agent an and was heard of.
CREATE FUNCTION pg_temp.start(n int, p_state text DEFAULT 'test') RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.submit(n, jsonb_build_object('queue', 'q' || n)), pg_temp.claim('a' || n, ARRAY['q' || n], n),
           pg_temp.post(n, p_state, 'a' || n)
$$;
UPDATE tf.lease_rule SET value = 15 WHERE name = 'outage_gap_s';

-- outages
SELECT pg_temp.start(1), pg_temp.submit(2, '{"queue": "q2"}'), pg_temp.claim('a2', '{q2}', 2) \g /dev/null
SELECT pg_temp.lives(1, 120, 'a lease that was renewed');
SELECT pg_temp.lives(2, 60, 'and one that is not confirmed');
SELECT is(pg_temp.reap(), NULL, 'all is well');
SELECT pg_temp.last_run('2 s') \g /dev/null
SELECT is(pg_temp.reap(), NULL, 'a pause is no outage');
SELECT pg_temp.lives(1, 120, 'nothing was moved');
SELECT pg_temp.age(1, '121 s'), pg_temp.age(2, '61 s'), pg_temp.last_run('16 s') \g /dev/null
SELECT is(pg_temp.reap(), 'shifted 1', 'after an outage nothing is ended');
SELECT pg_temp.lives(1, 120, 'the lease lives for a while');
SELECT pg_temp.lives(2, 120, 'the other one too');
SELECT is(pg_temp.reap(), NULL, 'the next run is an ordinary one');
UPDATE tf.lease SET lease_until = clock_timestamp() + interval '500 s' WHERE job_id = pg_temp.id(1);
SELECT pg_temp.last_run('1 h') \g /dev/null
SELECT is(pg_temp.reap(), 'shifted 1', 'a long outage');
SELECT pg_temp.lives(1, 4100, 'gives the time that was lost');
SELECT pg_temp.last_run('-1 h') \g /dev/null
SELECT is(pg_temp.reap(), 'shifted 1', 'a clock that was put back');
SELECT pg_temp.lives(1, 500, 'takes the leases with it');
UPDATE tf.reaper SET started_at = started_at - interval '1 s';
UPDATE tf.lease SET lease_until = now();
SELECT is(pg_temp.reap(), 'shifted 1', 'a restart in between');
SELECT pg_temp.lives(1, 120, 'is an outage however short');
UPDATE tf.reaper SET timeline = timeline - 1;
SELECT is(pg_temp.reap(), 'shifted 1', 'so is another timeline');
UPDATE tf.reaper SET last_run = NULL;
SELECT is(pg_temp.reap(), 'shifted 1', 'the first run of all knows nothing');
SELECT tfx.set_lease_rule('outage_grace_s', 400) \g /dev/null
UPDATE tf.lease SET lease_until = now() WHERE job_id = pg_temp.id(1);
UPDATE tf.lease SET lease_until = now() + interval '1 min' WHERE job_id = pg_temp.id(2);
SELECT pg_temp.last_run('1 min') \g /dev/null
SELECT is(pg_temp.reap(), 'shifted 1', 'how long they live');
SELECT pg_temp.lives(1, 400, 'is the outage, or at least');
SELECT pg_temp.lives(2, 400, 'so long');
UPDATE tf.lease SET lease_until = '-infinity', confirmed = now() WHERE job_id = pg_temp.id(2);
SELECT pg_temp.last_run('5 min') \g /dev/null
SELECT is(pg_temp.reap(), 'retry 1, shifted 1', 'what its agent gave up is not brought back to life');

-- the brake
UPDATE tf.lease_rule SET value = most WHERE name = 'outage_gap_s';
SELECT pg_temp.start(n) FROM generate_series(10, 39) n \g /dev/null
UPDATE tf.reaper SET lost_at = '{}';
UPDATE tf.lease SET lease_until = now();
SELECT is(pg_temp.reap(), 'agent_lost 5, braked 26', 'a few may be lost at once');
SELECT is(pg_temp.reap(), NULL, 'then no more for a minute, and that is said once');
SELECT pg_temp.submit(40), pg_temp.claim('a40', '{q}', 40), pg_temp.age(40, '2 min') \g /dev/null
SELECT is(pg_temp.reap(), 'undelivered 1', 'where nothing ran there is no brake');
UPDATE tf.reaper SET lost_at = lost_at[3:] || (now() - interval '61 s'), alarmed_at = now() - interval '61 s';
SELECT is(pg_temp.reap(), 'agent_lost 2, braked 24', 'each counts for a minute of its own');
SELECT tfx.set_lease_rule('brake_percent', 50) \g /dev/null
SELECT is(pg_temp.reap(4), 'agent_lost 4', 'of many leases a part may be lost, in batches');
SELECT is(pg_temp.reap(), 'agent_lost 5', 'half of 28 in a minute');
SELECT is(pg_temp.reap(), NULL, 'no more');
UPDATE tf.reaper SET lost_at = array_fill(now() + interval '1 h', ARRAY[99]);
SELECT is(pg_temp.reap(), 'agent_lost 7', 'what was lost in the future does not count');
UPDATE tf.reaper SET lost_at = '{}';
SELECT is(pg_temp.reap(), 'agent_lost 5', 'of few leases at least so many');
UPDATE tf.reaper SET lost_at = '{}';
SELECT is(pg_temp.reap(), 'agent_lost 3', 'may be lost in any case');
UPDATE tf.reaper SET lost_at = array_fill(now(), ARRAY[99]);
DELETE FROM tf.lease WHERE confirmed IS NOT NULL;
SELECT is(pg_temp.reap(), NULL, 'when most jobs have ended since, none may be lost for a while');

-- a lease that cannot be ended
SELECT tfx.set_lease_rule('brake_least', 100) \g /dev/null
UPDATE tf.reaper SET lost_at = '{}';
SELECT pg_temp.start(50), pg_temp.start(51) \g /dev/null
SELECT pg_temp.age(50, '2 h'), pg_temp.age(51, '2 h') \g /dev/null
ALTER TABLE tf.job ADD CONSTRAINT trouble CHECK (id <> pg_temp.id(50) OR outcome IS NULL) NOT VALID;
SELECT is(pg_temp.reap(), 'agent_lost 1, failed 1', 'does not keep the others alive');
SELECT pg_temp.lives(50, 60, 'and is tried again in a minute');
ALTER TABLE tf.job DROP CONSTRAINT trouble;
SELECT pg_temp.age(50, '2 h') \g /dev/null
SELECT is(pg_temp.reap(), 'agent_lost 1', 'then it ends');
SELECT pg_temp.start(52), pg_temp.age(52, '2 h') \g /dev/null
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40P01'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON tf.job FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT throws_ok('SELECT tfx.reap_leases(9)', '40P01', NULL, 'a deadlock ends the whole run');
DROP TRIGGER refuse ON tf.job;
SELECT is(pg_temp.reap(), 'agent_lost 1', 'the next one makes up for it');

-- rules
SELECT throws_ok($$ SELECT tfx.set_lease_rule('dance', 1) $$, 'TF404', NULL, 'an unknown rule');
SELECT throws_ok($$ SELECT tfx.set_lease_rule('brake_percent', 101) $$, 'TF422', NULL, 'a value without sense');
SELECT throws_ok($$ SELECT tfx.set_lease_rule('test', 0) $$, 'TF422', NULL, 'a silence of nothing');
SELECT tfx.set_lease_rule('test', 300), tfx.set_lease_rule('undelivered_s', 200) \g /dev/null
SELECT results_eq($$ SELECT name, value FROM tfx.list_lease_rules() WHERE name IN ('test', 'undelivered_s') $$,
    $$ VALUES ('test', 300), ('undelivered_s', 200) $$, 'are listed');
SELECT pg_temp.submit(60), pg_temp.submit(61) \g /dev/null
SELECT pg_temp.claim('b', '{q}', 60) \g /dev/null
SELECT pg_temp.lives(40, 200, 'a claim nobody asks about lives so long');
SELECT pg_temp.post(40, 'test', 'b') \g /dev/null
SELECT pg_temp.lives(40, 300, 'and a test so long in silence');
\ir lib/end.psql
