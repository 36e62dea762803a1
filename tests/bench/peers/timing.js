// SPDX-License-Identifier: GPL-3.0-or-later
// What the peers' programs have in common.  Each measures, with jobs that do nothing:
//   cycle: claim and completion of jobs that are all there at the start
//   life:  the same while they are submitted, one call each
// and prints {"cycle": jobs/s, "life": jobs/s, "cycle_jobs": N, "life_jobs": N, "left": N}.
'use strict';

const PRODUCERS = 8; // as many connections as a server of ours has workers
const PAYLOAD = 'x'.repeat(900);

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Calls submit(number) from several loops until so many are made or the time is over; returns how many.
async function produce(submit, { count = Infinity, seconds = Infinity }) {
  const end = Date.now() + seconds * 1000;
  let made = 0;
  const loop = async () => {
    while (made < count && Date.now() < end) await submit(made++);
  };
  await Promise.all(Array.from({ length: PRODUCERS }, loop));
  return made;
}

// Looks every few milliseconds until nothing is left; fails when that takes too long.
async function until(condition, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('jobs are left');
    await pause(5);
  }
}

const database = () => ({
  host: process.env.PGHOST,
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
});

function main(measure) {
  measure().then(
    (found) => {
      process.stdout.write(JSON.stringify(found) + '\n', () => process.exit(0));
    },
    (error) => {
      process.stderr.write(String(error.stack) + '\n', () => process.exit(1));
    },
  );
}

module.exports = { PAYLOAD, database, main, pause, produce, until };
