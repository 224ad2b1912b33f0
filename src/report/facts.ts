import type { MeasuredUplift } from '../recommend/uplift.ts';

/**
 * What a report is made of: plain JSON, filled by the stages from their outputs. Every part below `run` is optional, and
 * the page shows what the run has. Nothing in here describes one insured person: counts, means and quantiles of at least
 * 11 rows. `summaries/` makes the binned parts from arrays and keeps to that rule.
 *
 * Numbers are plain; their unit stands in their name (`tookSeconds`) or beside them (`unit`). A number that could not be
 * computed may be NaN (null after JSON): it is printed as "n/a" and not drawn.
 */
export type RunFacts = {
  run: RunIdentity;
  /** What the model predicts: name and unit of the label. Needed by every part that shows predictions. */
  target?: Quantity;
  machines?: readonly MachineRun[];
  receipt?: DropReceipt;
  quality?: DataQuality;
  models?: ModelComparison;
  metrics?: TestMetrics;
  gates?: readonly Gate[];
  calibration?: Calibration;
  residuals?: Residuals;
  fairness?: readonly Fairness[];
  explanation?: Explanation;
  /** Of a model with several outputs: how good each one is, and what it looks at. */
  outputs?: readonly OutputQuality[];
  promotion?: Promotion;
  shadow?: ShadowFacts;
  predictions?: Predictions;
  recommendations?: Recommendations;
  uplift?: Uplift;
  drift?: Drift;
  confusion?: ConfusionOverTime;
  lineage?: Lineage;
};

/**
 * How a number is written. An ISO 4217 code is money (`USD` → $4,912), `share` a percentage (0.843 → 84.3 %), `count` a
 * whole number, the empty string a plain ratio (0.843); any other text is put behind the number (`years` → 43 years).
 */
export type Unit = string;

export type Quantity = { name: string; unit: Unit };

/** A value and its confidence interval (95 % unless told). */
export type Estimate = { value: number; low: number; high: number };

/** A metric by name; `better` says which way is good, so that no reader has to guess. */
export type MetricName = { name: string; unit: Unit; better: 'higher' | 'lower' };

export type RunIdentity = {
  id: string;
  useCase: string;
  /** The business question, as the use case declares it. */
  question: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  tookSeconds?: number;
  /** Where it ran: `laptop`, `dev`, `staging`, `prod`. */
  environment?: string;
};

// ---- the run graph

export type MachineRun = {
  name: string;
  /** The event or schedule that started it, for example `DatasetArrived`. */
  startedBy?: string;
  /** In the order they ran. States that were never reached stand last, with status `not-run`. */
  states: readonly StateRun[];
};

export type StateRun = {
  name: string;
  /** `caught` is a failure that the machine handled by a Catch. */
  status: 'succeeded' | 'failed' | 'caught' | 'running' | 'not-run';
  tookSeconds?: number;
  /** More than 1 where the state was retried. */
  attempts?: number;
  /** Iterations, of a Map state. */
  items?: number;
  /** Name of the error, never its text: a cause may quote data. */
  error?: string;
};

// ---- receipt

/** What came, and what became of it. */
export type DropReceipt = {
  /** The file that came, or the manifest of several. */
  name: string;
  status: 'accepted' | 'halted' | 'rejected' | 'waiting' | 'repeated' | 'renewed' | 'superseded';
  /** Why it was not accepted, in a sentence without values; empty for an accepted one. */
  reason: string;
  /** ISO 8601, UTC; null where nothing was read. */
  arrivedAt: string | null;
  files: readonly { name: string; sha256: string; sizeBytes: number }[];
  /** Decimal texts, of at least 11 rows each. */
  totals: readonly {
    column: string;
    dropped: string;
    accepted: string;
    quarantined: string;
    unreadableRows: number;
  }[];
  /**
   * Rows that were taken though they came later than usual, by how many days the oldest of them (null where they are few), and
   * those from before the look-back; where the contract says how far back its source may deliver.
   */
  late?: { rows: number; oldestDays: number | null; beyond: number };
};

// ---- data quality

/** `droppedRows` is what the file drop delivered; it is the sum of the other three, or the page says that it is not. */
export type DataQuality = {
  droppedRows: number;
  acceptedRows: number;
  quarantinedRows: number;
  rejectedRows: number;
  sources: readonly { name: string; contractVersion: string; files?: number }[];
  rules: readonly RuleFired[];
  columns?: readonly ColumnProfile[];
  /** True when a halt rule stopped the run: nothing was accepted into silver. */
  halted?: boolean;
  /** Why nothing was accepted, in a sentence without values. */
  reason?: string;
};

export type RuleFired = {
  name: string;
  column?: string;
  outcome: 'warn' | 'quarantine' | 'halt';
  /** Rows that broke the rule; one row may break several. */
  rows: number;
  /** One sentence: what the rule asks for. */
  description?: string;
};

/** Of the accepted rows. Quantiles instead of extremes, because an extreme is one person's value. */
export type ColumnProfile = {
  name: string;
  type: string;
  unit?: Unit;
  nullShare: number;
  distinct?: number;
  p5?: number;
  median?: number;
  p95?: number;
  /** The distribution: ordered bins of a number, or the levels of a category (`summaries/histogram.ts` makes both). */
  bins?: readonly Bin[];
};

/**
 * `label` names the bin as people read it (`30 – 35`, `yes`); a bin of numbers also has
 * its edges, of which the first and the last may be open; a level has none. Bins of 1 to 10 rows are merged
 * with others before they are shown.
 */
export type Bin = { label: string; from?: number; to?: number; rows: number };

// ---- models

export type ModelComparison = {
  folds: number;
  /** The first metric is the one that decided; the chart shows it, the table shows all. */
  metrics: readonly MetricName[];
  candidates: readonly Candidate[];
};

export type Candidate = {
  name: string;
  /** A `baseline` is the constant or the current rules: shown to beat, never chosen; nor is one that is `compared` alone. */
  kind: 'candidate' | 'compared' | 'baseline';
  chosen?: boolean;
  /** One entry per metric of the comparison, in that order. */
  scores: readonly CrossValidated[];
  parameters?: Parameters;
  trainingSeconds?: number;
};

export type CrossValidated = { estimate: Estimate; foldValues: readonly number[] };

export type Parameters = { readonly [name: string]: string | number | boolean | null };

/** Metrics of the chosen model on rows it never saw. */
export type TestMetrics = {
  rows: number;
  /** Which rows these were: `frozen test set`. */
  set: string;
  metrics: readonly TestMetric[];
};

export type TestMetric = MetricName & {
  estimate: Estimate;
  /** `met` is the gate's own verdict: the page shows it and never computes a second one. */
  limit?: { min?: number; max?: number; met: boolean };
  baselines?: readonly { name: string; value: number }[];
};

export type Gate = {
  name: string;
  passed: boolean;
  /** What was asked: `R² ≥ 0.80`. */
  requirement: string;
  /** What was found, with interval and rows: `0.839 (0.812 – 0.861) on 1,000 rows`. */
  evidence: string;
  /** True where a constant prediction passes as well: then the gate proves nothing, and the page says so. */
  constantPasses?: boolean;
};

// ---- calibration and residuals, on the test rows grouped by predicted value, lowest first (`summaries/deciles.ts`)

export type Calibration = { groups: readonly CalibrationGroup[]; gini?: Estimate };

export type CalibrationGroup = {
  rows: number;
  meanPredicted: number;
  meanActual: Estimate;
};

/** Residual = actual − predicted. */
export type Residuals = { medianAbsolute: number; groups: readonly ResidualGroup[] };

export type ResidualGroup = { rows: number; p10: number; p25: number; p50: number; p75: number; p90: number };

// ---- fairness, on the frozen test set

export type Fairness = {
  /** The sensitive column. */
  feature: string;
  groups: readonly {
    group: string;
    rows: number;
    /** Share of the group that is selected, and actual over expected. */
    selectionRate: Estimate;
    actualToExpected: Estimate;
    /** Mean absolute error of an amount, calibration error of a probability. */
    error: Estimate;
  }[];
  /** Groups too small to judge. */
  suppressed: readonly string[];
  /** Between the groups selected most and least often. */
  selection?: { difference: Estimate; ratio: Estimate };
  /** The larger gap of true and false positive rates, of an event. */
  oddsDifference?: Estimate;
  groupMeanVariation: number;
};

// ---- explanation (`summaries/explanation.ts`)

/** SHAP values in the unit of the target. */
export type Explanation = {
  rows: number;
  /** The expected value: what the model predicts before it knows any feature. */
  baseValue: number;
  features: readonly FeatureEffect[];
  /** Typical cases of groups; the first one is also marked inside the swarm. */
  cases?: readonly TypicalCase[];
};

export type FeatureEffect = {
  name: string;
  meanAbsolute: number;
  /**
   * Each mark is the mean of at least 11 rows that lie close together: its contribution, and where the feature's value
   * lies among all values (0 lowest, 1 highest, null for categories without order and for missing values).
   */
  marks?: readonly SwarmMark[];
};

/** One of several outputs, in the unit of the target. `features` are those of largest mean |SHAP|, with their swarms. */
export type OutputQuality = { name: string; r2: number; mae: number; rmse: number; features: readonly FeatureEffect[] };

export type SwarmMark = readonly [contribution: number, valueRank: number | null];

/** Mean contributions of a group: they add up to the group's mean prediction exactly, and are nobody's own. */
export type TypicalCase = {
  /** Completes "a typical …": `smoker over 50`. */
  group: string;
  rows: number;
  prediction: number;
  /** `value` is the group's median or commonest value, already written out: `54 years`, `yes`. */
  contributions: readonly { feature: string; value?: string; contribution: number }[];
};

// ---- champion and challenger

export type Promotion = {
  version: string;
  algorithm: string;
  decision: 'promoted' | 'shadowed' | 'refused';
  /** One sentence. */
  reason: string;
  /** Missing for the first version of a use case. */
  champion?: { version: string; algorithm: string };
  testRows?: number;
  /** The first one is on the pre-declared metric, which decides; the others are guards (non-inferiority). */
  improvements?: readonly PairedImprovement[];
};

export type PairedImprovement = MetricName & {
  champion: number;
  challenger: number;
  /** Paired on the same rows, in the metric's unit; positive where the challenger is better, whichever way that is. */
  improvement: Estimate;
  /** The least improvement asked for; below zero it is a margin by which the challenger may be worse. */
  required?: number;
  met: boolean;
};

// ---- shadow

/** What was seen of a version that scores beside the champion and that nothing acts on. */
export type ShadowFacts = {
  version: string;
  runs: number;
  rows: number;
  /** Rows that it left without a prediction. */
  failures: number;
  /** Its predictions on its frozen test set (the reference) and in shadow, over the same bins. */
  testRows?: number;
  overlay?: readonly OverlayBin[];
  /** The champion on those of the same rows that it has scored. */
  champion?: {
    version: string;
    rows: number;
    /** Shadow minus champion, in the unit of the target. */
    meanDifference: number | null;
    /** By band or decision: the champion's, and what the shadow would have made of it. */
    decisions: readonly { champion: string; shadow: string; rows: number }[];
  };
};

// ---- predictions

export type Predictions = {
  rows: number;
  modelVersion: string;
  mean?: Estimate | number;
  /** In ascending order. `from` and `to` are in the target's unit. */
  bands?: readonly { name: string; rows: number; from?: number; to?: number }[];
  flags?: readonly { name: string; rows: number; rule?: string }[];
  intervals?: {
    nominalCoverage: number;
    /** On the test rows: prediction happens before the truth is known. */
    measuredCoverage?: Estimate;
    meanWidth?: number;
  };
};

// ---- recommendations

/** What the contact policy made of the scores; the counts are of member-offer pairs unless told. */
export type Recommendations = {
  members: number;
  holdoutMembers: number;
  spentUsd: number;
  /** What is left after each step, from all pairs to those sent. */
  steps: readonly { name: string; pairs: number; members: number }[];
  /** Pairs that each rule removed. */
  removed: { readonly [rule: string]: number };
  /** In declared order. */
  offers: readonly { id: string; name: string; category: string; sent: number }[];
  texts: { written: number; fromModel: number; requests: number; spentUsd: number };
  /** Of each offer's scores over all members; none of too few. */
  scores: readonly {
    name: string;
    p5: number;
    p25: number;
    p50: number;
    p75: number;
    p95: number;
    reachesMinimum: number;
  }[];
  minimumScore: number;
};

/** As `measureUplift` gives it, with names for the offers: the response rates of contacted members and of the holdout. */
export type Uplift = {
  overall: MeasuredUplift;
  offers: readonly { name: string; result: MeasuredUplift }[];
  /** How long a member had to respond. */
  withinDays: number;
  /** When the first and the last of the recommendations behind it were made; ISO 8601, UTC. */
  firstSentAt: string;
  lastSentAt: string;
};

// ---- drift

export type Drift = {
  reference: Sample;
  analysis: Sample;
  psiLimits: { warn: number; alert: number };
  /** Level of the test after correction for many features, for example 0.05. */
  falseDiscoveryRate?: number;
  features: readonly FeatureDrift[];
  /** The same for the model's output. */
  prediction?: FeatureDrift;
  /** What follows from it, in a sentence or two: `Retraining is requested: 2 of 5 features drifted.` */
  action?: string;
};

export type Sample = { label: string; rows: number };

export type FeatureDrift = {
  name: string;
  unit?: Unit;
  /** The monitor's own verdict, from effect size and test together; the page never computes a second one. */
  severity: 'stable' | 'warn' | 'alert';
  psi: number;
  /** What PSI comes to without any drift at these sizes: about (bins − 1)(1/n + 1/m). */
  psiByChance?: number;
  /** `changed` where up and down mean nothing (categories), `mixed` where the shape moved and the centre did not. */
  direction: 'up' | 'down' | 'mixed' | 'changed' | 'none';
  /** The effect in the feature's own unit, or as a share of one level. */
  effect?: { name: string; unit: Unit; reference: number; analysis: number };
  test?: { name: string; statistic: number; p: number; adjustedP: number };
  /** The smallest shift that would have been seen, in the unit of `effect`. */
  minimumDetectable?: number;
  /** Share of all mean |SHAP| that this feature holds: drift matters where the model looks. */
  importanceShare?: number;
  /** Both samples over the same bins (`summaries/histogram.ts`). */
  overlay?: readonly OverlayBin[];
};

export type OverlayBin = { label: string; from?: number; to?: number; referenceShare: number; analysisShare: number };

// ---- decisions and truth

/** Decisions that were made before the truth was known, against what happened. */
export type ConfusionOverTime = {
  /** From the lowest predictions to the highest: the last one is the positive decision. */
  decisions: readonly string[];
  /** The one that leaves the case to a person. */
  review?: string;
  metrics: readonly MetricName[];
  /** Oldest first. */
  periods: readonly {
    period: string;
    rows: number;
    cells: readonly { decision: string; happened: number; notHappened: number }[];
    /** In the order of `metrics`. */
    metrics: readonly number[];
  }[];
};

// ---- lineage

export type Lineage = {
  dataTable?: string;
  dataVersion?: number;
  dataHash?: string;
  contractVersions?: { readonly [source: string]: string };
  featuresHash?: string;
  codeCommit?: string;
  seed?: number;
  algorithm?: string;
  parameters?: Parameters;
  modelVersion?: string;
  modelDigest?: string;
  /** What changed training labels: outcomes of recommendations, and votes of reviewers. */
  taughtBy?: { outcomes: number; votes: number };
};
