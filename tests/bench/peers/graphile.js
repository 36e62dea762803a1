// SPDX-License-Identifier: GPL-3.0-or-later
// graphile-worker: two processes of workers, as its own performance test has them, and a third one that
// submits.  BATCH=1: with its local queue and completions gathered, else one job at a time.
'use strict';

const cluster = require('node:cluster');
const { Pool } = require('pg');
const { Logger, run, runMigrations } = require('graphile-worker');
const { PAYLOAD, database, main, produce, until } = require('./timing.js');

const SECONDS = Number(process.env.SECONDS || 3);
const BATCH = process.env.BATCH === '1';
const JOBS = Number(process.env.JOBS || 5000);
const WORKERS = 2;
const CONCURRENCY = 24;
const LEFT = 'SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS left';

const silent = new Logger(() => () => {});

async function work() {
  let first = true;
  const nothing = () => {
    if (first) process.send({ at: Date.now() });
    first = false;
  };
  const runner = await run({
    pgPool: new Pool({ ...database(), max: CONCURRENCY + 2 }),
    logger: silent,
    noHandleSignals: true,
    taskList: { nothing },
    preset: {
      worker: {
        concurrentJobs: CONCURRENCY,
        localQueue: BATCH ? { size: 500, refetchDelay: { durationMs: 10 } } : { size: -1 },
        completeJobBatchDelay: BATCH ? 0 : -1,
        failJobBatchDelay: BATCH ? 0 : -1,
      },
    },
  });
  process.on('message', async () => {
    await runner.stop();
    process.exit(0);
  });
  process.send({ up: true });
}

// Starts the processes; ready: all are there; first(): when the first job was begun.
function start() {
  let begun = Infinity;
  let missing = WORKERS;
  const workers = Array.from({ length: WORKERS }, () => cluster.fork());
  const ready = new Promise((done) => {
    for (const worker of workers)
      worker.on('message', (said) => {
        if (said.at) begun = Math.min(begun, said.at);
        else if (--missing === 0) done();
      });
  });
  const stop = () =>
    Promise.all(
      workers.map((worker) => {
        const gone = new Promise((done) => worker.once('exit', done));
        worker.send('stop');
        return gone;
      }),
    );
  return { ready, first: () => begun, stop };
}

async function measure() {
  const pool = new Pool({ ...database(), max: 8 });
  const one = (text, values) => pool.query({ name: text.slice(0, 20), text, values });
  const submit = (number) =>
    one("SELECT graphile_worker.add_job('nothing', payload := $1::json)", [
      JSON.stringify({ id: number, pad: PAYLOAD }),
    ]);
  const empty = async () => !(await one(LEFT)).rows[0].left;

  await pool.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
  await runMigrations({ pgPool: pool, logger: silent });
  const specs = Array.from({ length: JOBS }, (_, id) => ({ identifier: 'nothing', payload: { id, pad: PAYLOAD } }));
  await pool.query(
    'SELECT 1 FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_recordset(NULL::graphile_worker.job_spec, $1::json)))',
    [JSON.stringify(specs)],
  );
  await pool.query('VACUUM ANALYZE graphile_worker._private_jobs');
  const workers = start();
  await workers.ready;
  await until(empty);
  const cycle = JOBS / (Date.now() - workers.first());
  const begin = Date.now();
  const made = await produce(submit, { seconds: SECONDS });
  await until(empty);
  const life = made / (Date.now() - begin);
  const left = Number((await one('SELECT count(*) AS n FROM graphile_worker._private_jobs')).rows[0].n);
  await workers.stop();
  return { cycle: cycle * 1000, life: life * 1000, cycle_jobs: JOBS, life_jobs: made, left };
}

if (cluster.isPrimary) main(measure);
else work();
