import { over, type Metric } from './metric.ts';

/**
 * Skill of a model over a baseline: 1 − loss(model) / loss(baseline), for a loss where less is better (MAE, squared error,
 * a deviance). 0 means no better than the baseline, 1 is perfect. Over the squared error and a training mean it is R²
 * against the constant; over a deviance and a training mean it is D².
 *
 * `baseline` is a constant or one prediction per row of the very rows the metric is given. The strictest constant is the
 * training median for MAE and the training mean for squared error and deviances.
 */
export function skillOver(loss: Metric, baseline: number | Float64Array): Metric {
  const skill: Metric = (actual, predicted, weight) => skillOf(actual, predicted)(weight);
  const skillOf = (actual: Float64Array, predicted: Float64Array) => {
    const expected = typeof baseline === 'number' ? new Float64Array(actual.length).fill(baseline) : baseline;
    const ofModel = over(loss, actual, predicted);
    const ofBaseline = over(loss, actual, expected);
    return (weight?: Float64Array) => {
      const reference = ofBaseline(weight);
      return reference > 0 ? 1 - ofModel(weight) / reference : NaN;
    };
  };
  skill.over = skillOf;
  return skill;
}
