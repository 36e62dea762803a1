// SPDX-License-Identifier: GPL-3.0-or-later
// bullmq over the Redis at REDIS_PORT: workers and submitters in one process, which is as fast as one
// core allows.
'use strict';

const { Queue, Worker } = require('bullmq');
const { PAYLOAD, main, produce, until } = require('./timing.js');

const SECONDS = Number(process.env.SECONDS || 3);
const JOBS = Number(process.env.JOBS || 10000);
const CONCURRENCY = 24;
const NAME = 'bench';
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };

async function measure() {
  const queue = new Queue(NAME, { connection });
  let done = 0;

  await queue.waitUntilReady();
  for (let made = 0; made < JOBS; made += 1000)
    await queue.addBulk(
      Array.from({ length: Math.min(1000, JOBS - made) }, () => ({ name: 'nothing', data: { pad: PAYLOAD } })),
    );
  const worker = new Worker(NAME, async () => {}, { connection, concurrency: CONCURRENCY, autorun: false });
  worker.on('completed', () => {
    done++;
  });
  await worker.waitUntilReady();
  let begin = Date.now();
  worker.run();
  await until(() => done >= JOBS);
  const cycle = JOBS / (Date.now() - begin);
  begin = Date.now();
  const made = await produce(() => queue.add('nothing', { pad: PAYLOAD }), { seconds: SECONDS });
  await until(() => done >= JOBS + made);
  const life = made / (Date.now() - begin);
  const completed = await queue.getCompletedCount();
  await worker.close();
  await queue.close();
  return { cycle: cycle * 1000, life: life * 1000, cycle_jobs: JOBS, life_jobs: made, left: JOBS + made - completed };
}

main(measure);
