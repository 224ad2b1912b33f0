import { mean } from 'd3-array';
import { type CrossValidation, crossValidate } from '../../ml/tune/cross-validate.ts';
import { type Split, groupedKFold, stratifiedKFold } from '../../ml/tune/folds.ts';
import { holdout } from '../../ml/tune/holdout.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { type RowSet, takeColumns, takeRowSet } from './frozen-sets.ts';
import { type Learnt, type TrainingPorts, isTrees, learn, predictRows } from './learning.ts';
import { labelReference, metricSet } from './metric-set.ts';
import { type Remember, forgetful } from './remember.ts';
import { searchOf } from './search.ts';

/**
 * Cross-validates a candidate over these rows as declared; encoders are fitted anew in each fold, an entity's rows share one.
 * `rounds` is the mean over the folds of the rounds that boosting was stopped after; null where nothing stops early.
 */
export async function validateCandidate(
  declaration: Declaration,
  candidate: Candidate,
  rows: RowSet,
  ports: TrainingPorts = {},
): Promise<CrossValidation<string> & { rounds: number | null }> {
  const { folds, seed } = searchOf(declaration, candidate.kind);
  const { remember = forgetful } = ports;
  const splits = remember(`splits ${folds} ${seed}`, () => splitsOf(declaration, rows, { folds, seed }));
  const models: Learnt[] = [];
  for (const [fold, { train }] of splits.entries()) {
    const ofFold: Remember = (name, make) => remember(`${folds} ${seed} ${fold}: ${name}`, make);
    const trained = ofFold('rows', () => takeRowSet(rows, train));
    models.push(await learn(declaration, candidate, trained, { ...ports, remember: ofFold }));
  }
  const validated = crossValidate({
    splits,
    actual: rows.label,
    outputs: rows.outputs,
    metrics: metricSet(labelReference(rows.label, declaration)),
    fit: (_, fold) => models[fold],
    predict: (learnt, test) => predictRows(learnt, takeColumns(rows.columns, test)),
  });
  return { ...validated, rounds: stopsEarly(candidate) ? Math.round(mean(models.map(roundsOf))!) : null };
}

const stopsEarly = ({ kind, parameters }: Candidate): boolean =>
  kind === 'gradient-boosting' && Number(parameters['earlyStoppingRounds'] ?? 0) > 0;

const roundsOf = ({ model }: Learnt): number => (isTrees(model) ? model.trees.length / model.outputs : NaN);

/** What share of the rows judges where there is one fold only. */
const judgingShare = 0.2;

/** The declared folds; one fold is a single split, stratified ones need every entity once. */
export function splitsOf(
  { split }: Declaration,
  { rows, keys, label }: RowSet,
  { folds, seed }: { folds: number; seed: number },
): Split[] {
  if (folds === 1) {
    // a salt of its own: the rows are what is left after the test set was taken by a hash of the same keys
    const { train, test } = holdout(rows, { test: judgingShare, seed: `${seed}/judging`, keys });
    return [{ train, test }];
  }
  const everyKeyOnce = () => new Set(keys).size === rows;
  if (split.stratify && everyKeyOnce()) return stratifiedKFold(label, { folds, seed });
  return groupedKFold(keys, { folds, salt: seed });
}
