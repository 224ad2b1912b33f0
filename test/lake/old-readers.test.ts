import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { silverColumns } from '../../src/data/contract/silver.ts';
import { quarantineColumns } from '../../src/data/quality/split.ts';
import { schemaOf, type SqlColumn } from '../../src/lake/fit.ts';
import { protocolFor } from '../../src/lake/protocol.ts';
import { catalogueFromFolder } from '../../src/usecase/catalogue.ts';

// Reader version 1 and writer version 2 are what every reader of Delta tables has: times are instants, then (timestamp, not
// timestamp_ntz)
const plainest = { minReaderVersion: 1, minWriterVersion: 2 };
const protocolOf = (columns: readonly SqlColumn[]) => protocolFor(schemaOf('t', columns));
const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the oldest readers can read', async () => {
  const { useCases } = await catalogueFromFolder(`${root}usecases`);
  const sources = useCases.flatMap(({ declaration, contracts }) =>
    Object.entries(contracts).map(([source, { contract }]) => [`${declaration.id}/${source}`, contract] as const),
  );

  test.each(sources)('the silver table of %s', (_, contract) => {
    expect(protocolOf(silverColumns(contract))).toEqual(plainest);
  });

  test('the quarantine', () => {
    expect(protocolOf(quarantineColumns)).toEqual(plainest);
  });

  test('the times that stages put into features, predictions and drift', () => {
    const stages = globSync('src/stages/**/*.ts', { cwd: root }).map((path) => readFileSync(`${root}${path}`, 'utf8'));
    expect(stages.filter((text) => /\bmake_timestamptz\(/.test(text))).not.toEqual([]);
    expect(stages.filter((text) => /\bmake_timestamp\(|::TIMESTAMP\b(?!TZ| WITH)/.test(text))).toEqual([]);
  });
});

test('a bare TIMESTAMP would shut them out', () => {
  expect(protocolOf([{ name: 'at', type: 'TIMESTAMP' }]).minReaderVersion).toBe(3);
});
