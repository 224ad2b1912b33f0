import { beforeAll, describe, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { strictParse } from '../../src/data/strict-parse.ts';
import { type Catalogue, catalogueFromFolder, useCaseOf } from '../../src/usecase/catalogue.ts';
import { declarationFindings, featureTableColumns } from '../../src/usecase/check.ts';
import { type DeclarationInput, declarationSchema, defineUseCase } from '../../src/usecase/declaration.ts';
import insuranceCost from '../../usecases/insurance-cost/usecase.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await catalogueFromFolder(fileURLToPath(new URL('../../usecases/', import.meta.url)));
});

/** All findings, of the parts and of their fit, as `path: message`. */
function findings(change: (declaration: DeclarationInput) => void): string[] {
  const declaration = structuredClone(insuranceCost);
  change(declaration);
  const parsed = strictParse(declarationSchema, declaration);
  const found = parsed.findings ?? declarationFindings(parsed.value, useCaseOf(catalogue, 'insurance-cost').contracts);
  return found.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('a declaration is data: it is the same after a trip through JSON', () => {
  expect(JSON.parse(JSON.stringify(insuranceCost))).toEqual(insuranceCost);
  expect(defineUseCase(insuranceCost)).toBe(insuranceCost);
  const { declaration } = useCaseOf(catalogue, 'insurance-cost');
  expect(declarationSchema.parse(JSON.parse(JSON.stringify(declaration)))).toEqual(declaration);
});

test('the feature table has key, time, features, carried columns and label, each once', () => {
  const columns = featureTableColumns(useCaseOf(catalogue, 'insurance-cost').declaration);
  expect(columns).toHaveLength(new Set(columns).size);
  expect(columns).toEqual(expect.arrayContaining(['customer_id', 'recorded_at', 'age', 'sex', 'smoker', 'charges']));
});

const glm = (space: SearchSpace, trials: number): DeclarationInput['models'][number] => ({
  kind: 'glm',
  parameters: { family: 'tweedie' },
  search: { space, trials, folds: 3, metric: 'mae', seed: 1 },
});
type SearchSpace = DeclarationInput['models'][number]['search']['space'];

test('a GLM may be declared without trials: it is one candidate, as declared', () => {
  expect(findings((d) => (d.models[0] = glm({}, 0)))).toEqual([]);
});

describe('what does not fit is named', () => {
  test.each<[string, (declaration: DeclarationInput) => void]>([
    ['score.bands.1: bands ascend: 1500 does not lie above 2000', (d) => (d.score.bands![1].below = 1500)],
    ['score.bands.3: the last band has no "below"', (d) => (d.score.bands![3].below = 30000)],
    ['score.bands.0: needs "below"', (d) => delete d.score.bands![0].below],
    ['score.bands.2: there are two bands "low"', (d) => (d.score.bands![2].name = 'low')],
    ['gates.r2: needs "min": of R² higher is better', (d) => (d.gates.r2 = { max: 0.8 })],
    ['monitor.performance.mae: needs "max"', (d) => (d.monitor.performance.mae = { min: 1 })],
    ['gates.mae: needs either "min" or "max"', (d) => (d.gates.mae = {})],
    ['gates: there is no key "mea" here. Did you mean "mae"?', (d) => Object.assign(d.gates, { mea: { max: 1 } })],
    [
      'gates.beatsChampion.metric: is "mape", it must be r2, mae',
      (d) => Object.assign(d.gates.beatsChampion, { metric: 'mape' }),
    ],
    [
      'models.0.parameters: there is no key "tree" here. Did you mean "trees"?',
      (d) => Object.assign(d.models[0].parameters, { tree: 5 }),
    ],
    [
      'split.refit: there is no gradient boosting with "earlyStoppingRounds" to fit again',
      (d) => Object.assign(d.split, { refit: true }),
    ],
    [
      'models.1.search.space.learningrate: a gradient-boosting has no such parameter. Did you mean "learningRate"?',
      (d) => (d.models[1].search.space['learningrate'] = { uniform: [0, 1] }),
    ],
    [
      'models.0.search.space.maxDepth: its bounds are not in order: 9 is above 3',
      (d) => (d.models[0].search.space['maxDepth'] = { integer: [9, 3] }),
    ],
    [
      'models.0.search.space.maxDepth: must be one of { uniform',
      (d) => Object.assign(d.models[0].search.space, { maxDepth: [3, 9] }),
    ],
    [
      'models.0.search.space.tweedyPower: a glm has no such parameter. Did you mean "tweediePower"?',
      (d) => (d.models[0] = glm({ tweedyPower: { uniform: [1.1, 1.9] } }, 3)),
    ],
    ['models.0.search.trials: ', (d) => (d.models[0] = glm({}, -1))],
    ['models.1.search.trials: ', (d) => (d.models[1].search.trials = -1)],
    ['models.0.kind: ', (d) => Object.assign(d.models[0], { kind: 'forest' })],
    ['features.numeric: "charges" is the label', (d) => d.features.numeric!.push('charges')],
    ['features.carried: "age" is named twice', (d) => d.features.carried!.push('age')],
    ['features.categorical: "customer_id" is the entity\'s key', (d) => d.features.categorical!.push('customer_id')],
    [
      'score.flags.requires_review: there is no column "smokr". Did you mean "smoker"?',
      (d) => (d.score.flags!['requires_review'] = 'smokr'),
    ],
    ['score.flags.smoker: there is a column of that name already', (d) => (d.score.flags!['smoker'] = 'age > 5')],
    ['monitor.slices: the feature table has no column "bmi_class".', (d) => d.monitor.slices!.push('bmi_class')],
    ['monitor.drift.psi: "warn" (0.1) lies above "alert" (0.05)', (d) => (d.monitor.drift.psi.alert = 0.05)],
    [
      'monitor.drift.composite.columns: the feature table has no column "smokers". Did you mean "smoker"?',
      (d) => (d.monitor.drift.composite.columns = ['smokers']),
    ],
    ['profiles.polices: there is no such source. Did you mean "policies"?', (d) => (d.profiles = { polices: {} })],
    [
      'profiles.policies.boxPlot: the source has no column "charge". Did you mean "charges"?',
      (d) => (d.profiles!['policies'].boxPlot!.value = 'charge'),
    ],
    [
      'profiles.policies.groups.x: there is no column "ag". Did you mean "age"?',
      (d) => (d.profiles!['policies'].groups = { x: 'ag > 3' }),
    ],
    ['ratingTable: "smokr" is no factor to rate by. Did you mean "smoker"?', (d) => (d.ratingTable = ['smokr'])],
    ['score.timeZone: is no time zone', (d) => (d.score.timeZone = 'Europe/Londn')],
    ['retrain.at: must be a cron expression of five fields', (d) => (d.retrain.at = '@monthly')],
    ['label.maturity: must be a number of days such as P30D', (d) => (d.label.maturity = '30 days')],
    ['id: must be words of small letters', (d) => (d.id = 'Insurance Cost')],
    ['split.test: Too big', (d) => (d.split.test = 1)],
  ])('%s', (finding, change) => {
    expect(findings(change).join('\n')).toContain(finding);
  });

  test('a source whose contract describes another table', () => {
    const { declaration, contracts } = useCaseOf(catalogue, 'insurance-cost');
    const renamed = {
      ...declaration,
      profiles: {},
      sources: { claims: { contract: 'policies.odcs.yaml', optional: false } },
    };
    expect(declarationFindings(renamed, { claims: contracts['policies'] })).toEqual([
      {
        path: ['sources', 'claims'],
        message: 'its contract describes "policies": the schema object in it must have the source\'s name',
      },
    ]);
  });

  test('buckets that nothing can be parted by, or that would not come together', () => {
    const { declaration, contracts } = useCaseOf(catalogue, 'offer-prioritization');
    const path = ['features', 'buckets'];
    expect(declarationFindings(declaration, contracts)).toEqual([]);
    const inBuckets = (change: (of: { declaration: typeof declaration; contracts: typeof contracts }) => void) => {
      const changed = structuredClone({ declaration, contracts });
      change(changed);
      return declarationFindings(changed.declaration, changed.contracts).filter(
        (finding) => finding.path[1] === 'buckets',
      );
    };
    const withType = (source: string, sqlType: string) => (of: { contracts: typeof contracts }) => {
      of.contracts[source].contract.columns.find(({ name }) => name === 'member_id')!.sqlType = sqlType;
    };
    expect(inBuckets(withType('claims', 'BIGINT'))).toEqual([
      {
        path,
        message: '"member_id" is VARCHAR in members and BIGINT in claims: rows of one entity would not come together',
      },
    ]);
    expect(inBuckets((of) => (of.declaration.entity.key = 'household'))).toEqual([
      { path, message: 'no source has the column "household" by which it could be parted; leave it out' },
    ]);
    expect(
      inBuckets((of) => {
        withType('claims', 'BIGINT')(of);
        of.declaration.features.buckets = 1;
      }),
    ).toEqual([]);
  });
});
