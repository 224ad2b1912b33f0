/**
 * `npm run simulate -- [--seeds 300] [--seed N] [--mutant NAME]`: plays seeds in two processes, crashes every machine at every
 * point, lets the mutants loose, and prints what came of it in one line. Exits with 1 where something was found that must not be.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crashEverywhere, journeys } from './crash-points.ts';
import { mutants } from './mutants.ts';
import { type Theatre, kindOf, openTheatre, play } from './play.ts';
import { type Campaign, firstCatch, playSeeds, sayFinding } from './seeds.ts';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    from: { type: 'string' },
  },
});
const seeds = Number(options.seeds ?? 300);

if (options.from !== undefined) await playPart(Number(options.from));
else if (options.mutant !== undefined) await tryMutant(options.mutant);
else if (options.seed !== undefined) await playOne(Number(options.seed));
else await playAll();

/** Everything, and the line of it. */
async function playAll(): Promise<void> {
  const startedMs = Date.now();
  const halves = await Promise.all([inChild(0, Math.ceil(seeds / 2)), inChild(Math.ceil(seeds / 2), seeds)]);
  const found = halves.flatMap((half) => half.found);
  const seconds = (Date.now() - startedMs) / 1000;
  for (const finding of found) console.log(sayFinding(finding));

  const theatre = await openTheatre();
  const { points, restarts } = await crashMachines(theatre);
  const caught: string[] = [];
  for (const name of Object.keys(mutants)) {
    if (await firstCatch(theatre, name, 300)) caught.push(name);
    else console.log(`The mutant "${name}" was not found out.`);
  }
  const identical = await replaysAlike(theatre);
  await theatre.close();

  const faults = halves.reduce((sum, half) => sum + half.faults, 0) + restarts;
  const passed = halves.reduce((sum, half) => sum + half.points, 0);
  const all = Object.keys(mutants).length;
  const none = found.length === 0;
  const number = (value: number) => value.toLocaleString('en');
  console.log(`${number(passed)} scheduled points, ${(seeds / seconds).toFixed(1)} seeds a second.`);
  console.log(
    `${number(faults)} faults at all ${number(points)} I/O points over ${number(seeds)} seeds: ` +
      (none
        ? '0 rows lost, 0 duplicated, 0 half-written artefacts visible; '
        : `${found.length} seeds found what must not be; `) +
      `${caught.length} of ${all} mutants caught; replay ${identical ? 'identical' : 'NOT identical'}.`,
  );
  process.exitCode = none && caught.length === all && identical ? 0 : 1;
}

async function crashMachines(theatre: Theatre): Promise<{ points: number; restarts: number }> {
  const total = { points: 0, restarts: 0 };
  for (const journey of await journeys(theatre.ground, theatre.champion)) {
    const { points, restarts } = await crashEverywhere(theatre.ground, journey, theatre.reader);
    total.points += points;
    for (const times of restarts.values()) total.restarts += times;
  }
  return total;
}

/** Forty seeds hold every kind of story. */
async function replaysAlike(theatre: Theatre): Promise<boolean> {
  for (let seed = 0; seed < 40; seed++) {
    if ((await play(theatre, seed)).hash !== (await play(theatre, seed)).hash) return false;
  }
  return true;
}

function inChild(from: number, to: number): Promise<Campaign> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--from', String(from), '--seeds', String(to)]);
    let answer: Campaign | undefined;
    child.on('message', (campaign) => (answer = campaign as Campaign));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (answer) resolve(answer);
      else reject(new Error(`The process for the seeds from ${from} on ended with code ${code}.`));
    });
  });
}

async function playPart(from: number): Promise<void> {
  const theatre = await openTheatre();
  process.send?.(await playSeeds(theatre, from, seeds));
  await theatre.close();
}

async function playOne(seed: number): Promise<void> {
  const theatre = await openTheatre();
  const { found, points, faults } = await playSeeds(theatre, seed, seed + 1);
  if (found.length === 0) {
    const { hash } = await play(theatre, seed);
    console.log(`seed ${seed} (${kindOf(seed)}): ${points} points, ${faults} faults, nothing found; state ${hash}`);
  }
  for (const finding of found) console.log(sayFinding(finding));
  process.exitCode = found.length > 0 ? 1 : 0;
  await theatre.close();
}

async function tryMutant(name: string): Promise<void> {
  if (!Object.hasOwn(mutants, name)) {
    console.log(`There is no mutant "${name}". There are:\n${Object.keys(mutants).join('\n')}`);
    process.exitCode = 2;
    return;
  }
  const theatre = await openTheatre();
  const found = await firstCatch(theatre, name, seeds);
  console.log(found ? `Found out. ${sayFinding(found)}` : `Not found out within ${seeds} seeds.`);
  process.exitCode = found ? 0 : 1;
  await theatre.close();
}
