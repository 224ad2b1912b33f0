import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVersionFile } from '../../src/governance/registry.ts';
import type { Columns } from '../../src/ml/encoders/columns.ts';
import { InvalidModel } from '../../src/ml/trees/model.ts';
import { readFrozenSet, takeColumns } from '../../src/stages/common/frozen-sets.ts';
import { columnsRead, explainRows, predictRows } from '../../src/stages/common/learning.ts';
import { readModelFile, writeModelFile } from '../../src/stages/common/model-file.ts';
import { loadEvaluation, loadVersion } from '../../src/stages/common/version.ts';
import { useCaseOf } from '../../src/usecase/catalogue.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, govern, ingest, openWorld, policies, score, train, useCase } from './world.ts';

/** insurance-cost with nothing but a Gamma GLM, and gates that a GLM can pass. */
const declared = {
  ...smallSearch,
  models: [
    {
      kind: 'glm' as const,
      parameters: { family: 'gamma' as const },
      search: { space: {}, trials: 0, folds: 3, metric: 'mae' as const, seed: 42 },
    },
  ],
  gates: { beatsChampion: smallSearch.gates.beatsChampion, r2: { min: 0.3 } },
};

let world: World;
let folder: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  folder = temporaryDirectory();
  world = await openWorld({ useCases: useCasesFolder(folder.path, declared) });
  await ingest(world, 'january.csv', policies());
  await train(world, 'r1');
});
afterAll(() => {
  world.close();
  folder.remove();
});

const published = async () => {
  const { declaration } = useCaseOf(world.ports.catalogue, useCase);
  const version = await loadVersion(world.ports, useCase, 1);
  const evaluation = await loadEvaluation(world.ports, version.manifest);
  const rows = await readFrozenSet(world.ports, evaluation.snapshot, 'test', declaration);
  return { ...version, declaration, evaluation, rows };
};

describe('a declared GLM', () => {
  test('is trained as one candidate, published and judged like any other model', async () => {
    const { manifest, training, evaluation, declaration, learnt } = await published();
    expect(training.candidate).toEqual({
      id: 'glm-0',
      kind: 'glm',
      parameters: { family: 'gamma', tweediePower: 1.5 },
    });
    expect(manifest.lineage).toMatchObject({ algorithm: 'glm', features: columnsRead(learnt) });
    expect(columnsRead(learnt)).toEqual([...declaration.features.numeric, ...declaration.features.categorical]);
    // smokers cost a multiple: one model of factors explains most of it
    expect(evaluation.metrics.r2!.low).toBeGreaterThan(0.5);
  });

  test('passes its gates, is promoted and scores', async () => {
    expect(await govern(world, 'r1', 1)).toMatchObject({ promote: true });
    await score(world, 's1');
    const [{ rows, least }] = await world.rows(
      'gold',
      `predictions/${useCase}`,
      'SELECT count(*) AS rows, min(prediction) AS least FROM rows',
    );
    expect(rows).toBeGreaterThan(1_000);
    expect(least).toBeGreaterThan(0);
  });

  test('predicts and explains no rows without a word', async () => {
    const { declaration, learnt, rows } = await published();
    const none = takeColumns(rows.columns, new Uint32Array(0));
    expect(predictRows(learnt, none)).toHaveLength(0);
    expect(explainRows(declaration, learnt, none).shap).toHaveLength(0);
  });

  test('is explained by column: what the columns add and the average row’s prediction make each prediction', async () => {
    const { declaration, learnt, rows } = await published();
    const predicted = predictRows(learnt, rows.columns);
    const { matrix, shap } = explainRows(declaration, learnt, rows.columns);
    expect(matrix.names).toEqual(columnsRead(learnt));
    const stride = matrix.columns + 1;
    for (let row = 0; row < rows.rows; row++) {
      const sum = shap.subarray(row * stride, (row + 1) * stride).reduce((total, value) => total + value, 0);
      expect(Math.abs(sum / predicted[row] - 1)).toBeLessThan(1e-9);
    }
    // the number of children says it already
    const told = matrix.names.indexOf('family_size_factor');
    expect(rows.keys.every((_, row) => shap[row * stride + told] === 0)).toBe(true);
  });

  test('predicts for missing numbers, missing categories and levels that it has not seen', async () => {
    const { learnt, rows, declaration } = await published();
    const blank = (columns: Columns, name: string, cell: null | string): Columns => ({
      ...columns,
      [name]: Array.from(columns[name], () => cell),
    });
    let columns: Columns = rows.columns;
    for (const name of declaration.features.numeric) columns = blank(columns, name, null);
    for (const name of declaration.features.categorical) columns = blank(columns, name, 'never seen');
    const unseen = predictRows(learnt, columns);
    expect(unseen.every(Number.isFinite)).toBe(true);
    expect(new Set(unseen).size).toBe(1);
  });
});

describe('its file', () => {
  test('is JSON and comes back as it was', async () => {
    const { learnt, manifest } = await published();
    const bytes = await readVersionFile(world.ports.registry, manifest, 'model.txt');
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ format: 'bordereau-glm' });
    expect(writeModelFile(readModelFile(bytes))).toEqual(writeModelFile(learnt));
  });

  test.each(['{', '{}', '{"format":"bordereau-glm","version":2}'])('damaged as %s is no model', (text) => {
    expect(() => readModelFile(new TextEncoder().encode(text))).toThrow(InvalidModel);
  });
});
