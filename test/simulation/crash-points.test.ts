import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Journey, crashEverywhere, journeys, shadowJourneys, withShadow } from './crash-points.ts';
import { type Theatre, openTheatre } from './play.ts';

let theatre: Theatre & { close(): Promise<void> };
let all: Journey[];
let ofShadow: { [name: string]: Journey };
beforeAll(async () => {
  theatre = await openTheatre();
  all = await journeys(theatre.ground, theatre.champion);
  ofShadow = await shadowJourneys(withShadow(theatre.ground), theatre.champion);
});
afterAll(() => theatre.close());

const crashed = new Set<string>();

test.each(['ingest', 'train', 'govern', 'score', 'monitor'])(
  '15, 17, 28. the process of %s dies before or behind any of its I/O points: what is left can be read, and a restart ends as if nothing had been',
  async (machine) => {
    const journey = all.find((candidate) => candidate.machine === machine)!;
    const { restarts, points } = await crashEverywhere(theatre.ground, journey, theatre.reader);
    for (const stage of restarts.keys()) crashed.add(stage);
    expect(points).toBeGreaterThan(40);
  },
);

test.each(['goes into shadow', 'scores in shadow', 'is judged by what was seen', 'scores beside the champion'])(
  '15. so it is where a version %s',
  async (name) => {
    const { points } = await crashEverywhere(withShadow(theatre.ground), ofShadow[name], theatre.reader);
    expect(points).toBeGreaterThan(30);
  },
);

test('15. that was every stage of the way', () => {
  const way = ['Validate', 'Features', 'Append', 'Snapshot', 'Tune', 'Train', 'Evaluate', 'Govern', 'Promote'];
  expect([...crashed]).toEqual(expect.arrayContaining([...way, 'Pin', 'Score', 'Publish', 'Monitor', 'Report']));
});
