import { planCandidates } from '../../ml/tune/search.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration, ModelDeclaration } from '../../usecase/declaration.ts';

/** How candidates of a kind are judged, as declared. */
export function searchOf(declaration: Declaration, kind: Candidate['kind']): ModelDeclaration['search'] {
  const model = declaration.models.find((declared) => declared.kind === kind);
  if (!model) throw new Error(`The use case ${declaration.id} declares no model of kind ${kind}.`);
  return model.search;
}

/**
 * Every candidate of the declaration: each model as declared, then its trials, drawn from its search space. All of these in each
 * view too; in one that is only compared, the models as declared.
 */
export function candidatesOf(declaration: Declaration): Candidate[] {
  const plain = plainCandidates(declaration);
  const inView = (view: string): Candidate[] =>
    plainCandidates(declaration, { trials: !declaration.features.views[view].comparedOnly }).map((candidate) => ({
      ...candidate,
      id: `${candidate.id}-${view}`,
      view,
    }));
  return [...plain, ...Object.keys(declaration.features.views).flatMap(inView)];
}

/** Whether the candidate may be chosen, and is not there to be compared alone. */
export function mayBeChosen({ features }: Declaration, { view }: Candidate): boolean {
  return view === undefined || !features.views[view].comparedOnly;
}

function plainCandidates(declaration: Declaration, wanted = { trials: true }): Candidate[] {
  return declaration.models.flatMap(({ kind, parameters, search }) => {
    const trials =
      search.trials === 0 || !wanted.trials ? [] : planCandidates(search.space, search.trials, search.seed);
    const points: object[] = [{}, ...trials.map((trial) => trial.parameters)];
    return points.map((point, i) => ({
      id: `${kind}-${i}`,
      kind,
      parameters: { ...parameters, ...point } as Candidate['parameters'],
    }));
  });
}
