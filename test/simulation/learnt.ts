import { random } from '../../src/ml/random.ts';
import { type Ground, type State, World, useCase } from './world.ts';

/** Trees in each of the four models: the second is the best, the third the worst. */
const iterations = [3, 40, 1, 12];

/**
 * A world in which everything has been learnt and nothing judged: 160 policies, and four versions trained by the real machine
 * on the same rows. It is made once; stories begin in it.
 */
export async function learntState(ground: Ground): Promise<State> {
  let state: State | undefined;
  const go = async (from: Ground, begin: (world: World) => Promise<unknown>): Promise<World> => {
    const world = new World(from, { seed: `learnt ${state === undefined}`, ...(state && { from: state }) });
    world.only = ['ingest'];
    await begin(world);
    await world.scheduler.run();
    const failed = world.runs.find(({ status }) => status !== 'SUCCEEDED');
    if (failed) throw new Error(`${failed.machine} ${failed.status}: ${failed.execution?.cause}`);
    state = world.state();
    return world;
  };
  await go(ground, (world) => world.drop('history.csv', history()));
  for (const [i, trees] of iterations.entries()) {
    await go(withTrees(ground, trees), async (world) => {
      world.start('train', { useCase, runId: `train-${i + 1}`, cause: 'manual' });
    });
  }
  return state!;
}

/** The state with that version promoted by the real machine. */
export async function championState(ground: Ground, from: State, version: number): Promise<State> {
  const world = new World(ground, { seed: 'champion', from });
  world.only = [];
  world.start('govern', { useCase, runId: `train-${version}`, version });
  await world.scheduler.run();
  if (world.runs[0].status !== 'SUCCEEDED') throw new Error(`Version ${version}: ${world.runs[0].execution?.cause}`);
  return world.state();
}

function withTrees(ground: Ground, trees: number): Ground {
  const catalogue = structuredClone(ground.catalogue);
  for (const model of catalogue.useCases[0].declaration.models) {
    if (model.kind === 'gradient-boosting') model.parameters.iterations = trees;
  }
  return { ...ground, catalogue };
}

function history(): Uint8Array {
  const draw = random('history');
  const rows = Array.from({ length: 160 }, (_, i) => {
    const [units, factor] = [draw.integer(12), draw.integer(10)];
    const charges = 1000 + 300 * units + 350 * factor + 20 * units * factor + 300 * draw.uniform();
    return `H${i},${units},${factor},${charges.toFixed(2)},2026-02-01T00:00:00Z`;
  });
  return new TextEncoder().encode(`member_no,units,factor,charges,recorded_at\n${rows.join('\n')}\n`);
}
