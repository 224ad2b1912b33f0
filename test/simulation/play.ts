import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { championState, learntState } from './learnt.ts';
import { playGovernance } from './governance-story.ts';
import { ingestStory } from './ingest.ts';
import { playLake } from './lake-story.ts';
import type { Mutant } from './mutants.ts';
import { OutsideReader, demand } from './outside-reader.ts';
import { promotionStory } from './promotion-story.ts';
import { type FaultKind, noFaults } from './scheduler.ts';
import { scoreStory } from './score-story.ts';
import { weather } from './weather.ts';
import { shareDuckDb } from '../shared-duckdb.ts';
import { type Ground, type State, World, openGround } from './world.ts';

/** The kinds of stories; the first two have no stages and no engine, and are played by the hundreds. */
export type Kind = 'lake' | 'governance' | 'checkpoint' | 'ingest' | 'promotion' | 'score';

/** What simulations are played on; made once per process. */
export type Theatre = { ground: Ground; reader: OutsideReader; sql: SqlEngine; learnt: State; champion: State };

/** One played seed. */
export type Played = { hash: string; points: number; faults: ReadonlyMap<FaultKind, number> };

/** Opens it in a temporary directory, on one DuckDB instance; `close` removes both. */
export async function openTheatre(): Promise<Theatre & { close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'bordereau-simulation-'));
  const shared = await shareDuckDb();
  const sql = await openSql({ temporaryDirectory: directory });
  const ground = await openGround(directory);
  const learnt = await learntState(ground);
  const close = async () => {
    await sql.close();
    shared.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const reader = new OutsideReader(sql, directory);
  return { ground, reader, sql, learnt, champion: await championState(ground, learnt, 1), close };
}

/** Which story a seed tells: of forty, so many each. Those with stages cost a hundred times as much as those without. */
export function kindOf(seed: number): Kind {
  const place = seed % 40;
  if (place < 20) return 'lake';
  if (place < 32) return 'governance';
  if (place < 36) return 'checkpoint';
  if (place < 38) return 'ingest';
  return place === 38 ? 'promotion' : 'score';
}

/** Plays the seed. Throws what it finds; the same seed always comes to the same `hash`. */
export async function play(theatre: Theatre, seed: number, mutant: Mutant = {}, kind = kindOf(seed)): Promise<Played> {
  const { ground, reader, sql, learnt, champion } = theatre;
  const name = `${kind} ${seed}`;
  switch (kind) {
    case 'lake':
      return playLake(name, ground.directory, mutant);
    case 'checkpoint':
      return playLake(name, ground.directory, mutant, sql);
    case 'governance':
      return playGovernance(name, ground.directory, mutant);
    case 'ingest':
      return playStory(ground, name, ingestStory(reader, mutant.reader !== undefined), mutant);
    case 'promotion':
      return playStory(ground, name, promotionStory(learnt), mutant);
    default:
      return playStory(ground, name, scoreStory(champion, reader), mutant);
  }
}

/** A story about the product, with what must hold at every moment of it and what must hold in the end. */
export type Story = {
  /** @default - nothing is stored */
  from?: State;
  /** By how much the clocks of functions may be wrong. @default 0 */
  skewMs?: number;
  begin(world: World): void;
  safe(world: World): Promise<void>;
  end(world: World): Promise<void>;
};

/**
 * Under faults for as long as the seed has it, looked at from outside now and then; then the faults stop, what failed is started
 * again, and everything must come to the end that it would have come to anyway.
 */
async function playStory(ground: Ground, seed: string, story: Story, mutant: Mutant): Promise<Played> {
  const { from, skewMs } = story;
  const world = new World(ground, { seed, mutant, ...(from && { from }), ...(skewMs && { skewMs }) });
  const { scheduler } = world;
  const draw = world.draw.fork('play');
  world.faults = weather(draw);
  story.begin(world);
  for (let look = 0; look < 3; look++) {
    await scheduler.run(draw.integer(400));
    await story.safe(world);
  }
  await scheduler.run(1_500);
  await story.safe(world);

  world.faults = noFaults;
  await scheduler.run();
  for (let round = 0; ; round++) {
    const failed = world.runs.filter(({ status, error }) => status !== 'SUCCEEDED' && error !== 'DatasetRefused');
    if (failed.length === 0) break;
    const [{ machine, status, execution }] = failed;
    demand(status !== 'RUNNING', `an execution of ${machine} waits for ever`);
    demand(round < 6, `without any fault ${machine} ends as ${status}: ${execution?.cause}`);
    for (const run of failed) heal(world, run);
    await scheduler.run();
  }
  await story.safe(world);
  await story.end(world);
  return { hash: world.hash(), points: scheduler.points, faults: scheduler.injected };
}

/** What died goes on where it was; what failed is started anew, as a replay of its event does. */
function heal(world: World, run: World['runs'][number]): void {
  if (run.status === 'KILLED' && run.execution) return world.redrive(run);
  world.runs.splice(world.runs.indexOf(run), 1);
  world.start(run.machine, run.input);
}
