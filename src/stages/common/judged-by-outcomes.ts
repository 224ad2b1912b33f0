import { bootstrap, pairedBootstrap } from '../../ml/metrics/bootstrap.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import type { EvaluationDocument } from '../evaluate.ts';
import { type RowSet, outcomesOf } from './frozen-sets.ts';
import { outcomeConcordance } from './metric-set.ts';

/**
 * Whether what came of the test rows' recommendations bears the model out, and the rules, on the same rows. Only offers that were
 * sent are known about, so orders are compared among those that a policy once chose.
 */
export function judgedByOutcomes(
  declaration: Declaration,
  test: RowSet,
  predicted: Float64Array,
  rules: Float64Array | null,
): Pick<EvaluationDocument, 'metrics' | 'constantMetrics' | 'rulesMetrics' | 'outcomes'> {
  const happened = outcomesOf(test, declaration);
  const outcomes = happened ? happened.reduce((known, step) => known + (Number.isNaN(step) ? 0 : 1), 0) : 0;
  const least = declaration.recommend?.responses?.learnt?.minimumOutcomes ?? Infinity;
  if (!happened || outcomes < least) return { metrics: {}, constantMetrics: {}, rulesMetrics: {}, outcomes: 0 };
  const { outputs } = test;
  const options = { seed: declaration.split.seed, outputs };
  const metric = outcomeConcordance(outputs);
  const ofConstant = 0.5;
  if (!rules) {
    const { outcome_concordance } = bootstrap({ outcome_concordance: metric }, happened, predicted, options);
    return {
      metrics: { outcome_concordance },
      constantMetrics: { outcome_concordance: ofConstant },
      rulesMetrics: {},
      outcomes,
    };
  }
  const { gained } = pairedBootstrap(
    { gained: { metric, better: 'higher' } },
    happened,
    { champion: rules, challenger: predicted },
    options,
  );
  const ofRules = gained.champion.value;
  return {
    metrics: { outcome_concordance: gained.challenger, concordance_over_rules: gained.improvement },
    constantMetrics: { outcome_concordance: ofConstant, concordance_over_rules: ofConstant - ofRules },
    rulesMetrics: { outcome_concordance: ofRules },
    outcomes,
  };
}
