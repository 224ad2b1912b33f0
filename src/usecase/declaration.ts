import * as z from 'zod';
import { denseParameters } from '../ml/dense/parameters.ts';
import { glmParameters } from '../ml/glm/parameters.ts';
import { boostingParameters, forestParameters } from '../ml/trees/parameters.ts';
import { experimentSchema } from './experiment.ts';
import { metricNames, outcomeMetrics } from './metrics.ts';
import { recommendSchema } from './recommend.ts';

/*
 * The shape of a use case's declaration. Every object is closed: a misspelt key is an error that names it. The defaults are
 * stated here once; thresholds have none, they live in the declaration.
 */

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'must be a name: letters, digits and "_"');
const share = z.number().gt(0).lt(1);
const seed = z.number().int();
const condition = z.string().min(1);
const duration = z.string().regex(/^P\d+D$/, 'must be a number of days such as P30D');
const cron = z
  .string()
  .regex(/^[\w*,/-]+( [\w*,/-]+){4}$/, 'must be a cron expression of five fields, such as "0 2 * * *"');
const timeZone = z
  .string()
  .refine(isTimeZone, 'is no time zone; write one such as "UTC" or "Europe/London"')
  .default('UTC');
const schedule = { at: cron, timeZone };
const limits = z.strictObject({ warn: z.number().gt(0), alert: z.number().gt(0) });
/** A metric of the labels alone. */
const metric = z.enum(metricNames.filter((known) => known !== 'skill_over_rules' && !outcomeMetrics.includes(known)));

const parameterValue = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]);
const pair = (bound: z.ZodNumber) => z.tuple([bound, bound]);
const dimension = z.union(
  [
    z.strictObject({ uniform: pair(z.number()) }),
    z.strictObject({ logUniform: pair(z.number().gt(0)) }),
    z.strictObject({ integer: pair(z.number().int()) }),
    z.strictObject({ choice: z.array(parameterValue).min(1) }),
  ],
  'must be one of { uniform: [low, high] }, { logUniform: [low, high] } above 0, { integer: [low, high] }, { choice: [ … ] }',
);
const search = z.strictObject({
  /** Parameter → how its values are drawn, as in `src/ml/tune/search.ts`. */
  space: z.record(z.string(), dimension),
  /** Without trials there is one candidate, the model as declared; it is judged all the same. */
  trials: z.number().int().min(0),
  /** With 1, a fifth of the training rows judges the candidates instead of cross-validation: for much data. */
  folds: z.number().int().min(1),
  metric,
  seed,
});

/** The network is released in fewer bits, and what that changes is limited: each limit is a gate. */
const quantise = z.strictObject({
  precision: z.enum(['dynamic-range', 'int8']),
  /** Training rows over which activations are ranged. */
  representativeRows: z.int().min(100).max(500).default(300),
  /** Trains the network on under the rounding. */
  fineTune: z.boolean().default(false),
  /** Of |released score − float score|, over the test rows. */
  maxMeanDifference: share.default(0.02),
  /** Share of the test rows that a threshold of the decision puts elsewhere than before. */
  maxFlipShare: share.default(0.02),
  /** Weights and biases, released over float. */
  maxSizeRatio: share.default(1 / 3),
});

const model = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('random-forest'), parameters: forestParameters, search }),
  z.strictObject({ kind: z.literal('gradient-boosting'), parameters: boostingParameters, search }),
  // the actuary's baseline: numbers as they are, categories by level
  z.strictObject({ kind: z.literal('glm'), parameters: glmParameters, search }),
  // numbers standardised, categories by level; stored and scored as a .tflite file
  z.strictObject({ kind: z.literal('dense'), parameters: denseParameters, quantise: quantise.optional(), search }),
]);

const source = z.union(
  [
    z
      .string()
      .min(1)
      .transform((contract) => ({ contract, optional: false })),
    z.strictObject({
      contract: z.string().min(1),
      /** Its view is empty until it delivers. */
      optional: z.boolean().default(false),
    }),
  ],
  'must be the file of a contract, or { contract, optional }',
);

const decision = z.strictObject({
  negative: name,
  review: name.default('review'),
  positive: name,
  costs: z.strictObject({
    falsePositive: z.number().gt(0),
    falseNegative: z.number().gt(0),
    /** Of a person who looks at the case and decides rightly. @default - nothing is reviewed */
    review: z.number().gt(0).optional(),
  }),
});

const metricLimit = z
  .strictObject({ min: z.number().optional(), max: z.number().optional() })
  .refine((limit) => (limit.min === undefined) !== (limit.max === undefined), 'needs either "min" or "max"')
  .optional();
const perMetric = Object.fromEntries(metricNames.map((known) => [known, metricLimit])) as {
  [known in (typeof metricNames)[number]]: typeof metricLimit;
};

export const declarationSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be words of small letters and digits joined by "-"'),
  /** What the business asks, as a sentence. */
  question: z.string().min(1),
  /** What the predictions are for, and what they must not be used for; both stand in every model card. */
  card: z.strictObject({ intendedUse: z.string().min(1), limits: z.array(z.string().min(1)).min(1) }),
  entity: z.strictObject({ key: name, eventTime: name }),
  /**
   * Source → its contract's file, or more about it. The source's name is also that of its silver table and of the view in
   * features.sql. Features are built when every source that is not `optional` has delivered.
   */
  sources: z
    .record(name, source)
    .refine(
      (sources) => Object.values(sources).some(({ optional }) => !optional),
      'needs a source that is not optional',
    ),
  /** Figures of a source's accepted rows for the report, beyond those of each column. */
  profiles: z
    .record(
      name,
      z.strictObject({
        boxPlot: z.strictObject({ value: name, by: z.array(name).min(1) }).optional(),
        /** Group → an SQL condition over the source's columns. */
        groups: z.record(name, condition).default({}),
      }),
    )
    .default({}),
  features: z.strictObject({
    numeric: z.array(name).default([]),
    categorical: z.array(name).default([]),
    /** Columns that no model sees, for rules and slices. */
    carried: z.array(name).default([]),
    /**
     * View → carried columns that are features in it, beside those above. Every candidate is tried in every view too, with the same
     * parameters and on the same folds.
     */
    views: z
      .record(
        name,
        z.strictObject({
          numeric: z.array(name).default([]),
          categorical: z.array(name).default([]),
          /**
           * Shown beside the others, without a search, and never chosen: where single cases are decided at once its columns may
           * not be known.
           */
          comparedOnly: z.boolean().default(false),
        }),
      )
      .default({}),
    /** A feature that is missing in a larger share of the training rows is left out of that training. @default 1 */
    maxMissingShare: z.number().gt(0).max(1).default(1),
    /**
     * In how many parts they are built, by a hash of the entity's key, so that no machine has to hold all entities. More than one
     * is right where features.sql and labels.sql keep to one entity in every step. @default 1
     */
    buckets: z.number().int().min(1).max(1000).default(1),
  }),
  label: z
    .strictObject({
      /** What is to be predicted, or several columns at once: then `outputs`, and a `name` for them together. */
      column: name.optional(),
      outputs: z.array(name).min(2).optional(),
      name: name.optional(),
      /** `binary`: the column is 1 or true where the event happened, and the prediction is its calibrated probability. */
      task: z.enum(['regression', 'binary']).default('regression'),
      unit: z.string().min(1).default('share'),
      /** How long after the event time the label is final. */
      maturity: duration,
      /** The quantile of the reference labels from which a case is "high". */
      highQuantile: share.default(0.95),
    })
    .refine((label) => (label.column === undefined) !== (label.outputs === undefined), 'needs a "column" or "outputs"')
    .refine(
      (label) => label.outputs === undefined || label.name !== undefined,
      'several outputs need a "name" together',
    )
    .refine((label) => label.outputs === undefined || label.task === 'regression', 'several outputs are amounts'),
  models: z.array(model).min(1),
  /** The tariff that a model has to beat: the mean label by these factors. @default - a constant is all there is to beat */
  ratingTable: z.array(name).min(1).optional(),
  /** The rules in use, which a model has to beat: carried columns with their predictions, one for each output. */
  rules: z.array(name).min(1).optional(),
  /** Rows are assigned by a hash of the entity key and the seed, so that a key keeps its side over the months. */
  split: z.strictObject({
    test: share,
    /** The share of the training rows that early stopping looks at, and that is not trained on. */
    validation: share.default(0.2),
    seed,
    /** Boosting that stops early in the folds is then fitted on all training rows, with the rounds found there. @default false */
    refit: z.boolean().default(false),
    /** Folds of cross-validation have the same share of events. @default false */
    stratify: z.boolean().default(false),
    /**
     * Models learn from, and are judged on, rows that arrived so recently, counted from the newest: where costs inflate, older
     * months teach old prices. @default - all rows
     */
    window: duration.optional(),
  }),
  /** Above these the check before training calls a feature or a split leaking; defaults as in `src/ml/leakage`. */
  leakage: z
    .strictObject({
      /** |Pearson correlation| of a feature with the label. */
      maxCorrelation: z.number().gt(0).max(1).optional(),
      /** R² of a tree on one feature alone. */
      maxTreeR2: z.number().gt(0).max(1).optional(),
      /** |rank correlation| of a feature with the label. */
      maxRankCorrelation: z.number().gt(0).max(1).optional(),
      /** Share of rows in which a feature is the label. */
      maxEqualShare: z.number().gt(0).max(1).optional(),
      /** Share of test rows that stand in the training set too: 1 where features are classes, and people look alike. */
      maxDuplicateShare: z.number().min(0).max(1).optional(),
    })
    .default({}),
  gates: z.strictObject({
    ...perMetric,
    beatsChampion: z.strictObject({
      metric,
      /** Of the paired bootstrap interval of the difference. */
      confidence: share,
      /** The least difference that is of use, in the metric's unit. */
      minimumEffect: z.number().min(0),
      /**
       * Where enough is known of what came of the judged rows (`recommend.responses.learnt`), concordance with that decides in place
       * of the metric. @default - the metric decides always
       */
      outcomes: z.strictObject({ minimumEffect: z.number().min(0) }).optional(),
    }),
  }),
  /** Groups between which selection and errors are compared, and how far they may lie apart; each limit is a gate. */
  fairness: z
    .strictObject({
      over: z.array(name).min(1),
      /** A prediction from which on a row is selected. @default - where the decision turns positive, or the last band begins */
      selectedFrom: z.number().optional(),
      /** Smaller groups are named and not judged. */
      minGroupRows: z.number().int().min(11).default(30),
      /** The lowest selection rate of a group over the highest; four fifths is customary. */
      selectionRatio: z.strictObject({ min: z.number().min(0).max(1) }).optional(),
      selectionDifference: z.strictObject({ max: z.number().min(0).max(1) }).optional(),
      /** The larger gap of true and false positive rates. */
      oddsDifference: z.strictObject({ max: z.number().min(0).max(1) }).optional(),
      /** Standard deviation over mean of the groups' mean predictions. */
      groupMeanVariation: z.strictObject({ max: z.number().gt(0) }).optional(),
    })
    .optional(),
  /**
   * Before its first use a version that passes every gate scores beside the champion, and nothing acts on it. What is seen of it
   * then is held against these limits, each a gate. @default - a version that passes becomes champion at once
   */
  shadow: z
    .strictObject({
      /** Scoring runs and rows that are enough to judge; where there is a champion, it has scored so many of them too. */
      runs: z.int().min(1),
      minimumRows: z.int().min(1),
      /** Share of the rows that it may leave without a prediction. */
      maxFailureShare: z.number().min(0).lt(1).default(0),
      /** Its predictions, against those of its own frozen test set. */
      prediction: z.strictObject({ psi: z.number().gt(0) }),
      /** Share of the rows that it may put into another band, or decide otherwise, than the champion. @default - any */
      decisions: z.strictObject({ differ: share }).optional(),
    })
    .optional(),
  score: z.strictObject({
    ...schedule,
    /** The least adjusted prediction, in the label's unit. */
    floor: z.number().optional(),
    /** Ascending; each reaches up to its `below`, the last one has none. */
    bands: z
      .array(z.strictObject({ name, below: z.number().optional() }))
      .min(1)
      .optional(),
    /** In place of bands, for an event: the decision of least expected cost. */
    decision: decision.optional(),
    /** How probabilities of out-of-fold rows are mapped to calibrated ones. */
    calibration: z.enum(['none', 'platt', 'beta', 'isotonic']).default('beta'),
    /** Conformal intervals around every prediction of an amount. @default - none */
    interval: z.strictObject({ coverage: share }).optional(),
    /** How many reasons each prediction gives: the features of largest SHAP value, with their direction. @default 0 */
    reasons: z.number().int().min(0).max(10).default(0),
    /** Flag → an SQL condition over `prediction`, `adjusted_prediction`, `category` and the feature table's columns. */
    flags: z.record(name, condition).default({}),
  }),
  /** Which of several outputs is recommended to whom. @default - scores are all there is */
  recommend: recommendSchema.optional(),
  /** How a challenger is tried on live traffic, where single cases are decided on the spot. @default - it is not */
  experiment: experimentSchema.optional(),
  retrain: z.strictObject({ ...schedule, onDrift: z.boolean() }),
  monitor: z.strictObject({
    /** How many days of predictions are looked at, and of recommendations whose outcome became final. */
    window: duration,
    /** Fewer predictions than this raise an alert, and no drift is judged. */
    minVolume: z.number().int().min(1),
    /** What the model must keep on matured truth. */
    performance: z.strictObject(perMetric),
    drift: z.strictObject({
      psi: limits,
      /** Of the tests over all features together. */
      falseDiscoveryRate: share,
      /** Of the mean prediction: relative change, and distance in standard deviations. */
      prediction: z.strictObject({ relative: z.number().gt(0), z: z.number().gt(0) }),
      /** Shares (of booleans) by difference, means (of numbers) by relative change. */
      demographic: z.strictObject({ columns: z.array(name).min(1), alert: z.number().gt(0) }),
      /** The mean of the relative prediction change and of these columns' demographic changes. */
      composite: z.strictObject({ columns: z.array(name).min(1), ...limits.shape }),
    }),
    /** Groups whose errors and shares are followed apart. */
    slices: z.array(name).default([]),
  }),
});

/** A declaration as its author writes it: defaults may be left out. */
export type DeclarationInput = z.input<typeof declarationSchema>;
/** A declaration with its defaults filled in. */
export type Declaration = z.output<typeof declarationSchema>;
export type ModelDeclaration = Declaration['models'][number];
export type ShadowDeclaration = NonNullable<Declaration['shadow']>;

/** A use case's one declaration: plain data, so that it is the same after a trip through JSON. Checked when it is loaded. */
export function defineUseCase(declaration: DeclarationInput): DeclarationInput {
  return declaration;
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
