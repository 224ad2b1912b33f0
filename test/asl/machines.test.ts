import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toAwsHistory } from '../../src/asl/aws-history.ts';
import { parseMachine } from '../../src/asl/machine.ts';
import type { Json } from '../../src/data/json.ts';
import { run } from './run.ts';

const folder = new URL('../machines/', import.meta.url);
const names = readdirSync(folder).flatMap((file) =>
  file.endsWith('.asl.json') ? file.slice(0, -'.asl.json'.length) : [],
);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Json;

describe('a machine of our own has the history that AWS documents', () => {
  test.each(names)('%s', async (name) => {
    const execution = await run(read(`${name}.asl.json`), {
      input: read(`${name}.input.json`),
      canned: read(`${name}.tasks.json`),
    });
    expect(toAwsHistory(execution)).toEqual(read(`${name}.history.json`));
  });
});

describe('a machine that is deployed is understood', () => {
  const deployed = new URL('../../statemachines/', import.meta.url);
  test.each(readdirSync(deployed))('%s', (file) => {
    const { tasks } = parseMachine(JSON.parse(readFileSync(new URL(file, deployed), 'utf8')) as Json);
    expect(tasks).toContain('Report');
  });
});
