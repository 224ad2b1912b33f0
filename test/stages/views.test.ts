import { afterAll, describe, expect, test } from 'vitest';
import { factsOf } from '../../src/stages/common/facts.ts';
import { columnsRead } from '../../src/stages/common/learning.ts';
import { loadVersion } from '../../src/stages/common/version.ts';
import { LeakageFound } from '../../src/stages/snapshot.ts';
import { declarationFindings } from '../../src/usecase/check.ts';
import { type DeclarationInput, declarationSchema } from '../../src/usecase/declaration.ts';
import { everyView, viewed } from '../../src/usecase/views.ts';
import { noLimits } from './ranking.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, govern, ingest, openWorld, policies, score, train, useCase } from './world.ts';

const { path, remove } = temporaryDirectory();
afterAll(remove);
const [, boosting] = smallSearch.models;

/** Of a policyholder little is known but in the view, where smoking is. */
const declared = (comparedOnly: boolean): DeclarationInput => ({
  ...smallSearch,
  features: {
    numeric: ['age', 'bmi', 'children'],
    categorical: ['sex', 'region'],
    carried: ['smoker', 'age_group', 'bmi_category', 'smoking_impact', 'health_risk_composite'],
    views: { extended: { numeric: ['smoking_impact'], categorical: ['age_group'], comparedOnly } },
  },
  models: [boosting],
  gates: { ...noLimits, beatsChampion: smallSearch.gates.beatsChampion },
});

async function settled(name: string, comparedOnly: boolean): Promise<World> {
  const world = await openWorld({ useCases: useCasesFolder(`${path}/${name}`, declared(comparedOnly)) });
  await ingest(world, 'january.csv', policies());
  await govern(world, 'r1', await train(world, 'r1'));
  return world;
}

const modelsOf = async (world: World) => (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Train'))!.models!;
const read = async (world: World) => columnsRead((await loadVersion(world.ports, useCase, 1)).learnt);

describe('a second view of the features', () => {
  test('is tried by every candidate on the same folds, and chosen where it is better', async () => {
    const world = await settled('free', false);
    const { candidates } = await modelsOf(world);
    const models = candidates.filter(({ kind }) => kind === 'candidate');
    const names = ['gradient-boosting-0', 'gradient-boosting-1'];
    expect(models.map(({ name }) => name)).toEqual([...names, ...names.map((name) => `${name}-extended`)]);
    expect(models.find(({ chosen }) => chosen)!.name).toMatch(/-extended$/);
    const features = ['age', 'bmi', 'children', 'smoking_impact', 'sex', 'region', 'age_group'];
    expect(await read(world)).toEqual(features);

    // scored, watched and explained by the columns of the view
    const scored = await score(world, 's1');
    await world.run('Monitor', scored);
    const watched = await world.rows('gold', `drift/${useCase}`, 'SELECT column_name, test FROM rows');
    expect(watched).toContainEqual({ column_name: 'smoking_impact', test: 'kolmogorovSmirnov' });
    const { explanation } = (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Evaluate'))!;
    expect(explanation!.features[0].name).toBe('smoking_impact');
    world.close();
  });

  test('that is there to be compared stands beside the others and is not chosen, however good it is', async () => {
    const world = await settled('compared', true);
    const { candidates } = await modelsOf(world);
    const chosen = candidates.find((candidate) => candidate.chosen)!;
    const compared = candidates.filter(({ kind }) => kind === 'compared');
    expect(chosen.name).not.toContain('extended');
    // as declared, without the search
    expect(compared.map(({ name }) => name)).toEqual(['gradient-boosting-0-extended']);
    for (const { scores } of compared) {
      expect(scores[0].estimate.value).toBeLessThan(chosen.scores[0].estimate.value);
      expect(scores[0].foldValues).toHaveLength(3);
    }
    expect(await read(world)).toEqual(['age', 'bmi', 'children', 'sex', 'region']);
    world.close();
  });

  test('may not know the label either: what leaks in a view stops the training', async () => {
    const leaking: DeclarationInput = {
      ...declared(true),
      features: {
        ...declared(true).features,
        carried: [...declared(true).features.carried!, 'paid'],
        views: { later: { numeric: ['paid'], comparedOnly: true } },
      },
    };
    const useCases = useCasesFolder(`${path}/leaking`, leaking, {
      'features.sql': (sql) => sql.replace('\n  charges\n', '\n  charges * 1.1 AS paid,\n  charges\n'),
    });
    const world = await openWorld({ useCases });
    await ingest(world, 'january.csv', policies());
    await expect(world.run('Snapshot', { useCase, runId: 'r1', cause: 'manual' })).rejects.toThrow(LeakageFound);
    world.close();
  });
});

describe('a view in a declaration', () => {
  const parse = (views: object) =>
    declarationSchema.parse({ ...declared(false), features: { ...declared(false).features, views } });
  const contracts = { policies: { contract: { name: 'policies', columns: [] } } } as never;
  const messages = (views: object) =>
    declarationFindings(parse(views), contracts)
      .filter((finding) => finding.path.includes('views'))
      .map(({ message }) => message);

  test('has columns, each once, and carried', () => {
    expect(messages({ extended: { numeric: ['smoking_impact'] } })).toEqual([]);
    expect(messages({ extended: {} })).toEqual(['has no column of its own']);
    expect(messages({ extended: { numeric: ['smoking_impct'] } })).toEqual([
      '"smoking_impct" is no carried column. Did you mean "smoking_impact"?',
    ]);
    expect(messages({ extended: { numeric: ['age'] } })).toEqual(['"age" is no carried column.']);
    expect(messages({ extended: { numeric: ['smoker', 'smoker'] } })).toEqual(['"smoker" is named twice']);
    expect(() => parse({ extended: { numeric: ['smoker'], compareOnly: true } })).toThrow(/compareOnly/);
  });

  test('takes its columns out of those that are carried; without one the declaration is as it was', () => {
    const declaration = parse({ extended: { numeric: ['smoking_impact'] }, other: { categorical: ['age_group'] } });
    expect(viewed(declaration, undefined)).toBe(declaration);
    expect(viewed(declaration, 'extended').features).toMatchObject({
      numeric: ['age', 'bmi', 'children', 'smoking_impact'],
      carried: ['smoker', 'age_group', 'bmi_category', 'health_risk_composite'],
    });
    expect(everyView(declaration).features.carried).toEqual(['smoker', 'bmi_category', 'health_risk_composite']);
  });
});
