import type { Contract } from '../data/contract/contract.ts';
import type { Inspection } from '../data/inspect/inspect.ts';
import { quoteName } from '../data/quote.ts';

export type InitRequest = {
  id: string;
  source: string;
  label: string;
  unit: string;
  inspection: Inspection;
  /** As it reads outside the PHI zone: only these columns can be features. */
  released: Contract;
  /** Of the label: the median, the 80th and the 95th percentile. */
  quantiles: readonly [number, number, number];
  /** How `usecase.ts` imports the product's `defineUseCase`. */
  importPath: string;
};

/** The features that a first model can use, and what is left out with its reason. */
type Features = { numeric: string[]; booleans: string[]; categorical: string[]; left: { name: string; why: string }[] };

/** Pure: the files of a use case that runs at once, by name. They are a beginning for a person to go on from. */
export function initFiles(request: InitRequest): { [file: string]: string } {
  const features = chooseFeatures(request);
  return {
    [`${request.source}.odcs.yaml`]: request.inspection.proposal.yaml,
    'features.sql': featuresSql(request, features),
    'usecase.ts': declaration(request, features),
  };
}

function chooseFeatures({ inspection, released, label }: InitRequest): Features {
  const { columns, key, eventTime } = inspection.proposal;
  const features: Features = { numeric: [], booleans: [], categorical: [], left: [] };
  for (const { name, type, inferred, privacy } of columns) {
    if ([label, key, eventTime].includes(name)) continue;
    const leave = (why: string): void => void features.left.push({ name, why });
    if (!released.columns.some((column) => column.name === name)) leave('stays in the PHI zone');
    else if (inferred!.distinct < 2) leave('has one value only');
    else if (privacy !== undefined && privacy !== 'age') leave(`is of the privacy class ${privacy}`);
    else if (type === 'integer' || type === 'number') features.numeric.push(name);
    else if (type === 'boolean') features.booleans.push(name);
    else if (type === 'string' && inferred!.levels) features.categorical.push(name);
    else leave(type === 'string' ? 'has too many values' : `is a ${type}: derive numbers from it`);
  }
  return features;
}

function featuresSql(
  { source, label, inspection }: InitRequest,
  { numeric, booleans, categorical, left }: Features,
): string {
  const { key, eventTime } = inspection.proposal;
  const columns = [
    quoteName(key),
    quoteName(eventTime),
    ...numeric.map((name) => `${quoteName(name)}::DOUBLE AS ${quoteName(name)}`),
    ...booleans.map((name) => `${quoteName(name)}::INTEGER AS ${quoteName(name)}`),
    ...categorical.map(quoteName),
    `${quoteName(label)}::DOUBLE AS ${quoteName(label)}`,
  ];
  return [
    `-- The features, from the view ${quoteName(source)} (silver). One row in, one row out; nothing here looks at the label.`,
    ...left.map(({ name, why }) => `-- Left out: ${name} ${why}.`),
    'SELECT',
    columns.map((column) => `  ${column}`).join(',\n'),
    `FROM ${quoteName(source)}`,
    '',
  ].join('\n');
}

function declaration(request: InitRequest, { numeric, booleans, categorical }: Features): string {
  const { id, source, label, unit, inspection, importPath } = request;
  const { key, eventTime, columns } = inspection.proposal;
  const numbers = [...numeric, ...booleans];
  const watched = [...numbers, ...categorical].slice(0, 6);
  const nonNegative = columns.find(({ name }) => name === label)?.inferred?.nonNegative;
  const text = (value: unknown): string => JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');
  return `import { defineUseCase } from ${text(importPath)};

// Proposed from a sample. Whatever stands here is a decision of the business: read it, and make it yours.
export default defineUseCase({
  id: ${text(id)},
  question: ${text(`What will ${label} be?`)},
  card: {
    intendedUse: ${text(`A draft made from ${inspection.file}: say what the predictions are for.`)},
    limits: ['Not reviewed: say what the predictions must not be used for.'],
  },
  entity: { key: ${text(key)}, eventTime: ${text(eventTime)} },
  sources: ${text({ [source]: `${source}.odcs.yaml` })},
  features: {
    numeric: ${text(numbers)},
    categorical: ${text(categorical)},
  },
  label: { column: ${text(label)}, unit: ${text(unit)}, maturity: 'P0D' },

  models: [
    {
      kind: 'random-forest',
      parameters: { trees: 100, maxDepth: 10, minSplitSamples: 5, minChildSamples: 2, seed: 42 },
      search: {
        space: { maxDepth: { integer: [4, 10] }, minChildSamples: { integer: [2, 20] }, featureFraction: { uniform: [0.3, 0.9] } },
        trials: 4,
        folds: 5,
        metric: 'mae',
        seed: 42,
      },
    },
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 100, learningRate: 0.1, maxDepth: 6, seed: 42 },
      search: {
        space: { learningRate: { logUniform: [0.03, 0.15] }, maxDepth: { integer: [2, 6] }, minChildSamples: { integer: [5, 40] } },
        trials: 8,
        folds: 5,
        metric: 'mae',
        seed: 42,
      },
    },
  ],
  split: { test: 0.2, seed: 42 },

  gates: {
    // a model that is hardly better than the mean is of no use; set what is good enough for yours
    skill_over_constant: { min: 0.05 },
    beatsChampion: { metric: 'mae', confidence: 0.95, minimumEffect: 0 },
  },

  score: {
    at: '0 2 * * *',
    timeZone: 'UTC',${nonNegative ? '\n    floor: 0,' : ''}
    bands: ${text(bandsOf(request.quantiles))},
    interval: { coverage: 0.9 },
  },
  retrain: { at: '0 0 1 * *', timeZone: 'UTC', onDrift: true },

  monitor: {
    window: 'P30D',
    minVolume: 50,
    performance: {},
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.2, z: 2 },
      demographic: { columns: ${text(watched)}, alert: 0.1 },
      composite: { columns: ${text(watched.slice(0, 2))}, warn: 0.2, alert: 0.3 },
    },
    slices: ${text(categorical.slice(0, 4))},
  },
});
`;
}

/** Bands that end at the quantiles, rounded so that they are no person's value; fewer where quantiles coincide. */
function bandsOf(quantiles: readonly number[]): { name: string; below?: number }[] {
  const edges = [...new Set(quantiles.map((value) => Number(value.toPrecision(2))))];
  const names = ['low', 'medium', 'high'];
  return [...edges.map((below, i) => ({ name: names[i], below })), { name: 'very_high' }];
}
