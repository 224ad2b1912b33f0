import * as z from 'zod';
import { completeParameters } from '../trees/parameters.ts';
import type { GlmFamily } from './family.ts';

/** What a GLM is declared by; there is nothing to tune but the power. */
export const glmParameters = z.strictObject({
  family: z.enum(['normal', 'poisson', 'gamma', 'tweedie', 'binomial']).default('normal'),
  /** The variance power of Tweedie, between Poisson (1) and Gamma (2). */
  tweediePower: z.number().gt(1).lt(2).default(1.5),
});

/** As the caller writes them: everything may be left out. */
export type GlmParameters = z.input<typeof glmParameters>;

/** The family as `fitGlm` takes it. Throws `InvalidParameter`. */
export function familyOf(parameters: GlmParameters): GlmFamily {
  const { family, tweediePower } = completeParameters(glmParameters, parameters);
  return family === 'tweedie' ? { tweedie: tweediePower } : family;
}
