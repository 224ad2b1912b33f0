import { expect, test } from 'vitest';
import { readLedger } from '../../src/governance/ledger.ts';
import { declareCriteria, promote, refuse } from '../../src/governance/promotion.ts';
import { reuseRemark, testSetUse } from '../../src/governance/test-set-use.ts';
import { MemoryStore } from './memory-store.ts';

const january = { testDigest: 'a'.repeat(64), testRows: 240 };
const february = { testDigest: 'b'.repeat(64), testRows: 480 };

test('a test set is counted once for each decision that rests on it, however many entries that has', async () => {
  const at = { store: new MemoryStore(), useCase: 'u', nowMs: 1 };
  const said = { alias: 'champion', actor: 'a', reason: 'r', criteriaHash: null } as const;
  const uses = async (set: typeof january, decisionId: string, version = 9) =>
    testSetUse(await readLedger(at.store, 'u'), set, { decisionId, version });

  expect(await uses(january, 'd1')).toEqual({ digest: january.testDigest, rows: 240, uses: 1 });
  const testSet = await uses(january, 'd1');
  await promote(at, { ...said, version: 1, decisionId: 'd1', expectedHead: '0'.repeat(64), evidence: { testSet } });

  // fixed beforehand and refused: two entries of one decision, and its own criteria do not count against it
  await declareCriteria(at, { ...said, version: 2, decisionId: 'd2', criteria: { testDigest: january.testDigest } });
  expect((await uses(january, 'd2')).uses).toBe(2);
  await refuse(at, { ...said, version: 2, decisionId: 'd2', evidence: { testSet: await uses(january, 'd2') } });
  expect((await uses(january, 'd3')).uses).toBe(3);

  expect((await uses(february, 'd3')).uses).toBe(1);
  expect((await uses(january, 'd1')).uses).toBe(2);

  // gone into shadow first, and then made champion: two looks, and one decision
  const shadowed = { ...said, alias: 'shadow', version: 3, decisionId: 'd3', expectedHead: '0'.repeat(64) } as const;
  await declareCriteria(at, { ...said, version: 3, decisionId: 'd3', criteria: { testDigest: january.testDigest } });
  await promote(at, { ...shadowed, evidence: { testSet: await uses(january, 'd3', 3) } });
  expect((await uses(january, 'd3/seen', 3)).uses).toBe(3);
  expect((await uses(january, 'd4', 4)).uses).toBe(4);
});

test('a test set that was used before is remarked upon, a fresh one is not', () => {
  const use = { digest: 'a', rows: 240 };
  expect(reuseRemark({ ...use, uses: 1 })).toBe('');
  expect(reuseRemark({ ...use, uses: 2 })).toContain('240 test rows have decided once before');
  expect(reuseRemark({ ...use, uses: 3 })).toContain('decided 2 times before');
});
