import { random } from '../../ml/random.ts';
import type { Design } from '../../ml/encoders/design.ts';
import type { FairnessAssessment } from '../../ml/fairness/assess.ts';
import { descending } from '../../ml/metrics/order.ts';
import type { Explanation, Fairness, OutputQuality, TypicalCase } from '../../report/facts.ts';
import { minimumGroupRows } from '../../report/small-groups.ts';
import { calibrationGroups, residualGroups } from '../../report/summaries/deciles.ts';
import { type FeatureWords, explain, typicalCase } from '../../report/summaries/explanation.ts';
import type { UseCase } from '../../usecase/catalogue.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { labelName, outputNames } from '../../usecase/label.ts';
import type { MetricName } from '../../usecase/metrics.ts';
import type { EvaluationDocument } from '../evaluate.ts';
import type { StageFacts } from './facts.ts';
import { type RowSet, takeRowSet } from './frozen-sets.ts';
import type { ExplainedRows } from './learning.ts';
import { describeMetric } from './metric-set.ts';

/* What the page shows of a version on the frozen test set: figures by group, and what its predictions are made of. */

/** So many rows × outputs are explained for the page: swarms and means hardly change with more. */
const mostExplained = 8000;

/** Test rows for the explanation: all of them, or a seeded sample where there are many. */
export function rowsToExplain(test: RowSet, { split }: Declaration): RowSet {
  const wanted = Math.max(minimumGroupRows * 20, Math.floor(mostExplained / test.outputs));
  if (test.rows <= wanted) return test;
  return takeRowSet(test, random(split.seed).fork('explained').sample(test.rows, wanted));
}

/** The explanation of the model, and of several outputs each one's own; then the model's is the mean over them. */
export function explanations(declaration: Declaration, { matrix, outputs, shap }: ExplainedRows) {
  if (outputs === 1) return { explanation: explain(matrix, shap), byOutput: [] };
  const run = matrix.columns + 1;
  const byOutput = outputNames(declaration).map((name, k) => {
    const own = new Float64Array(matrix.rows * run);
    for (let row = 0; row < matrix.rows; row++) {
      own.set(shap.subarray((row * outputs + k) * run, (row * outputs + k + 1) * run), row * run);
    }
    return { name, explanation: explain(matrix, own, swarmsByOutput) };
  });
  return { explanation: meanExplanation(byOutput.map(({ explanation }) => explanation)), byOutput };
}

/** Of each of several outputs the page shows the swarms of so many features. */
const swarmsByOutput = 5;

function meanExplanation(parts: readonly Explanation[]): Explanation {
  const importance = new Map<string, number>();
  for (const { features } of parts) {
    for (const { name, meanAbsolute } of features) {
      importance.set(name, (importance.get(name) ?? 0) + meanAbsolute / parts.length);
    }
  }
  const features = [...importance].map(([name, meanAbsolute]) => ({ name, meanAbsolute }));
  return {
    rows: parts[0].rows,
    baseValue: parts.reduce((sum, { baseValue }) => sum + baseValue, 0) / parts.length,
    features: features.sort((a, b) => b.meanAbsolute - a.meanAbsolute),
  };
}

export function outputFacts(
  { outputs }: EvaluationDocument,
  byOutput: readonly { name: string; explanation: Explanation }[],
): OutputQuality[] {
  return outputs.map(({ name, metrics }, k) => ({
    name,
    ...metrics,
    features: byOutput[k].explanation.features.filter(({ marks }) => marks !== undefined),
  }));
}

/** What a high and a low prediction are made of: means over a tenth of the rows each, so that nobody is shown; none of too few rows. */
export function typicalCases(
  { matrix, outputs, shap }: ExplainedRows,
  predicted: Float64Array,
  words: { [feature: string]: FeatureWords },
): TypicalCase[] {
  if (outputs > 1) return [];
  const order = descending(predicted);
  const tenth = Math.floor(predicted.length / 10);
  if (tenth < minimumGroupRows) return [];
  return [
    typicalCase(matrix, shap, order.subarray(0, tenth), 'case of the tenth with the highest predictions', words),
    typicalCase(matrix, shap, order.subarray(-tenth), 'case of the tenth with the lowest predictions', words),
  ];
}

/** How a feature's value is written: its unit by the contract, or the level behind its code. */
export function featureWords({ contracts }: UseCase, design: Design): { [feature: string]: FeatureWords } {
  const columns = Object.values(contracts).flatMap(({ contract }) => contract.columns);
  return Object.fromEntries(
    design.features.map((feature) => {
      const unit = columns.find(({ name }) => name === feature.column)?.unit;
      if (feature.as === 'ordinal') return [feature.column, { levels: feature.encoder.levels }];
      return [feature.column, unit === undefined ? {} : { unit }];
    }),
  );
}

function fairnessFacts({ table, demographicParity, equalizedOdds, groupMeanVariation }: FairnessAssessment): Fairness {
  return {
    feature: table.feature,
    groups: table.groups.map(({ group, rows, metrics }) => ({
      group,
      rows,
      selectionRate: metrics['selectionRate'],
      actualToExpected: metrics['actualToExpected'],
      error: metrics['meanAbsoluteError'] ?? metrics['calibrationError'],
    })),
    suppressed: table.suppressed,
    ...(demographicParity && {
      selection: { difference: demographicParity.difference, ratio: demographicParity.ratio },
    }),
    ...(equalizedOdds && { oddsDifference: equalizedOdds.difference }),
    groupMeanVariation,
  };
}

export function testFacts(
  declaration: Declaration,
  test: RowSet,
  predicted: Float64Array,
  evaluation: EvaluationDocument,
  explanation: Explanation,
): StageFacts {
  const { unit } = declaration.label;
  const name = labelName(declaration);
  const names = Object.keys(evaluation.metrics) as MetricName[];
  return {
    target: { name, unit },
    metrics: {
      rows: test.rows,
      set: evaluation.outcomes > 0 ? 'frozen test set (labels judge where no outcome is known)' : 'frozen test set',
      metrics: names.map((metric) => ({
        ...describeMetric(metric, unit),
        estimate: evaluation.metrics[metric]!,
        baselines: [
          { name: 'constant', value: evaluation.constantMetrics[metric] },
          { name: declaration.rules ? 'rules' : 'tariff', value: evaluation.rulesMetrics[metric] },
        ].filter((baseline): baseline is { name: string; value: number } => baseline.value !== undefined),
      })),
    },
    calibration: {
      groups: calibrationGroups(test.label, predicted),
      ...(evaluation.metrics.gini && { gini: evaluation.metrics.gini }),
    },
    residuals: residualGroups(test.label, predicted),
    ...(evaluation.fairness.length > 0 && { fairness: evaluation.fairness.map(fairnessFacts) }),
    explanation,
  };
}
