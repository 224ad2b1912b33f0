import type { ExperimentPlan } from '../../src/governance/experiment.ts';
import { experimentSchema } from '../../src/usecase/experiment.ts';
import declaration from '../../usecases/claim-decision/usecase.ts';

/** The plan that claim-decision declares, with a salt, and steps of one's own. */
export function usualPlan(salt: string, steps?: ExperimentPlan['steps']): ExperimentPlan {
  return { ...experimentSchema.parse(declaration.experiment), salt, ...(steps && { steps }) };
}
