import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, scratch } from './run-cli.ts';

test('a file of one’s own that is no table of policies is refused by ingestion, with 3, and stays in bronze', async () => {
  const content = 'age;sex;charges\n40;male;100\n';
  const file = scratch()('members.csv', content);
  const state = join(dirname(file), 'state');
  const { code, out } = await runCli('demo', '--quiet', '--json', '--data', file, '--dir', state);
  expect(code).toBe(3);
  const document = JSON.parse(out) as { champion: null; refused: string; reports: string[] };
  expect(document.champion).toBeNull();
  expect(document.refused).toMatch(
    /^The file members\.csv is rejected \(wrong-delimiter\): .*Export it with a comma\.$/,
  );
  expect(document.reports).toHaveLength(1);
  expect(readFileSync(join(state, 'bronze/drops/insurance-cost/policies/members.csv'), 'utf8')).toBe(content);
});
