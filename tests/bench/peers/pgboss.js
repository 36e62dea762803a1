// SPDX-License-Identifier: GPL-3.0-or-later
// pg-boss: loops in one process that fetch and complete.  BATCH: jobs in each fetch.
'use strict';

const { Pool } = require('pg');
const PgBoss = require('pg-boss');
const { PAYLOAD, database, main, pause, produce, until } = require('./timing.js');

const SECONDS = Number(process.env.SECONDS || 3);
const BATCH = Number(process.env.BATCH || 1);
const JOBS = Number(process.env.JOBS || 1000);
const LOOPS = BATCH === 1 ? 8 : 4;
const QUEUE = 'bench';
const LEFT = "SELECT EXISTS (SELECT FROM pgboss.job WHERE state <> 'completed' AND name = 'bench') AS left";

// Loops until over() says so.
async function consume(boss, over) {
  const loop = async () => {
    while (!over()) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      if (jobs.length > 0)
        await boss.complete(
          QUEUE,
          jobs.map((job) => job.id),
        );
      else await pause(1);
    }
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
}

async function measure() {
  const pool = new Pool({ ...database(), max: 2 });
  const empty = async () => !(await pool.query(LEFT)).rows[0].left;
  let over = false;

  await pool.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
  const boss = new PgBoss({ ...database(), max: LOOPS + 8, supervise: false, schedule: false });
  boss.on('error', (error) => process.stderr.write(String(error) + '\n'));
  await boss.start();
  await boss.createQueue(QUEUE);
  for (let made = 0; made < JOBS; made += 1000)
    await boss.insert(
      Array.from({ length: Math.min(1000, JOBS - made) }, () => ({ name: QUEUE, data: { pad: PAYLOAD } })),
    );
  await pool.query('VACUUM ANALYZE');
  let begin = Date.now();
  const consumers = consume(boss, () => over);
  await until(empty);
  const cycle = JOBS / (Date.now() - begin);
  begin = Date.now();
  const made = await produce(() => boss.send(QUEUE, { pad: PAYLOAD }), { seconds: SECONDS });
  await until(empty);
  const life = made / (Date.now() - begin);
  over = true;
  await consumers;
  const done = Number((await pool.query("SELECT count(*) AS n FROM pgboss.job WHERE state = 'completed'")).rows[0].n);
  await boss.stop({ graceful: false });
  return { cycle: cycle * 1000, life: life * 1000, cycle_jobs: JOBS, life_jobs: made, left: JOBS + made - done };
}

main(measure);
