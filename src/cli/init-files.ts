import type { Contract } from '../data/contract/contract.ts';
import type { Inspection } from '../data/inspect/inspect.ts';
import { quoteName } from '../data/quote.ts';

/** What the models learn: an amount, by whose quantiles bands are cut, or an event. */
export type InitLabel = { name: string } & (
  | {
      task: 'regression';
      /** The median, the 80th and the 95th percentile. */
      quantiles: readonly [number, number, number];
    }
  | {
      task: 'binary';
      /** The value that means that it happened, and the same as SQL. */
      positive: string;
      literal: string;
    }
);

export type InitRequest = {
  id: string;
  source: string;
  label: InitLabel;
  /** Of an amount. */
  unit: string;
  inspection: Inspection;
  features: InitFeatures;
  /** The features that groups of people are told by. */
  sensitive: readonly string[];
  /** How `usecase.ts` imports the product's `defineUseCase`. */
  importPath: string;
};

/** The features that a first model can use, and what is left out with its reason. */
export type InitFeatures = {
  numeric: string[];
  booleans: string[];
  categorical: string[];
  left: { name: string; why: string }[];
};

/** Pure: the files of a use case that runs at once, by name. They are a beginning for a person to go on from. */
export function initFiles(request: InitRequest): { [file: string]: string } {
  return {
    [`${request.source}.odcs.yaml`]: request.inspection.proposal.yaml,
    'features.sql': featuresSql(request),
    'usecase.ts': declaration(request),
  };
}

/** Every column that is neither label, key nor time: `released` is the contract as it reads outside the PHI zone, where models learn. */
export function featuresOf({
  inspection,
  released,
  label,
}: {
  inspection: Inspection;
  released: Contract;
  label: { name: string };
}): InitFeatures {
  const { columns, key, eventTime } = inspection.proposal;
  const features: InitFeatures = { numeric: [], booleans: [], categorical: [], left: [] };
  for (const { name, type, inferred, privacy } of columns) {
    if ([label.name, key, eventTime].includes(name)) continue;
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

function featuresSql({ source, label, inspection, features }: InitRequest): string {
  const { numeric, booleans, categorical, left } = features;
  const { key, eventTime } = inspection.proposal;
  const columns = [
    quoteName(key),
    quoteName(eventTime),
    ...numeric.map((name) => `${quoteName(name)}::DOUBLE AS ${quoteName(name)}`),
    ...booleans.map((name) => `${quoteName(name)}::INTEGER AS ${quoteName(name)}`),
    ...categorical.map(quoteName),
    label.task === 'binary'
      ? `(${quoteName(label.name)} = ${label.literal})::INTEGER AS ${quoteName(label.name)}`
      : `${quoteName(label.name)}::DOUBLE AS ${quoteName(label.name)}`,
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

function declaration(request: InitRequest): string {
  const { id, source, label, unit, inspection, features, sensitive, importPath } = request;
  const { key, eventTime } = inspection.proposal;
  const numbers = [...features.numeric, ...features.booleans];
  const watched = [...numbers, ...features.categorical].slice(0, 6);
  const question = label.task === 'binary' ? `Will ${label.name} be ${label.positive}?` : `What will ${label.name} be?`;
  const parts = label.task === 'binary' ? eventParts : amountParts(request, label.quantiles);
  return `import { defineUseCase } from ${text(importPath)};

// Proposed from a sample. Whatever stands here is a decision of the business: read it, and make it yours.
export default defineUseCase({
  id: ${text(id)},
  question: ${text(question)},
  card: {
    intendedUse: ${text(`A draft made from ${inspection.file}: say what the predictions are for.`)},
    limits: ['Not reviewed: say what the predictions must not be used for.'],
  },
  entity: { key: ${text(key)}, eventTime: ${text(eventTime)} },
  sources: ${text({ [source]: `${source}.odcs.yaml` })},
  features: {
    numeric: ${text(numbers)},
    categorical: ${text(features.categorical)},
  },
  label: { column: ${text(label.name)}, ${label.task === 'binary' ? "task: 'binary'" : `unit: ${text(unit)}`}, maturity: 'P0D' },

${parts.models}

  gates: {
    // a model that is hardly better than the ${label.task === 'binary' ? 'share of events' : 'mean'} is of no use; set what is good enough for yours
    skill_over_constant: { min: 0.05 },
    beatsChampion: { metric: ${text(parts.metric)}, confidence: 0.95, minimumEffect: 0 },
  },
${sensitive.length > 0 ? `\n  // measured and shown; a limit such as selectionRatio: { min: 0.8 } makes it a gate\n  fairness: { over: ${text(sensitive)} },\n` : ''}
  score: {
    at: '0 2 * * *',
    timeZone: 'UTC',
${parts.score}
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
    slices: ${text([...new Set([...sensitive, ...features.categorical])].slice(0, 4))},
  },
});
`;
}

/** A literal on one line. */
const text = (value: unknown): string => JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');

/** Where the declarations of amounts and events differ. */
type Parts = { models: string; metric: string; score: string };

const eventParts: Parts = {
  models: `  models: [
    {
      kind: 'gradient-boosting',
      parameters: {
        objective: 'binary',
        iterations: 400,
        learningRate: 0.08,
        maxDepth: 5,
        earlyStoppingRounds: 25,
        seed: 42,
      },
      // no search: it costs a hundredfold and finds little; with trials and a space it is one
      search: { space: {}, trials: 0, folds: 5, metric: 'roc_auc', seed: 42 },
    },
  ],
  split: { test: 0.2, seed: 42, stratify: true },`,
  metric: 'log_loss',
  score: `    // what a wrong decision costs, in any unit: both kinds the same until you say otherwise
    decision: { negative: 'unlikely', positive: 'likely', costs: { falsePositive: 1, falseNegative: 1 } },
    calibration: 'beta',
    reasons: 3,`,
};

function amountParts({ label, inspection }: InitRequest, quantiles: readonly number[]): Parts {
  const nonNegative = inspection.proposal.columns.find(({ name }) => name === label.name)?.inferred?.nonNegative;
  return {
    models: `  models: [
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
  split: { test: 0.2, seed: 42 },`,
    metric: 'mae',
    score: `${nonNegative ? '    floor: 0,\n' : ''}    bands: ${text(bandsOf(quantiles))},
    interval: { coverage: 0.9 },`,
  };
}

/** Bands that end at the quantiles, rounded so that they are no person's value; fewer where quantiles coincide. */
function bandsOf(quantiles: readonly number[]): { name: string; below?: number }[] {
  const edges = [...new Set(quantiles.map((value) => Number(value.toPrecision(2))))];
  const names = ['low', 'medium', 'high'];
  return [...edges.map((below, i) => ({ name: names[i], below })), { name: 'very_high' }];
}
