import * as z from 'zod';
import type { Design } from '../encoders/design.ts';
import { InvalidModel } from '../trees/model.ts';
import type { Glm } from './glm.ts';

/** A GLM with the encoders that make its features from columns: everything that scoring needs, as plain JSON. */
export type GlmDocument = { format: 'bordereau-glm'; version: 1; design: Design; glm: Glm };

const levels = z.array(z.string());
const count = z.number().min(0);

const feature = z.discriminatedUnion('as', [
  z.strictObject({
    column: z.string(),
    as: z.literal('number'),
    indicator: z.boolean(),
    imputer: z.strictObject({ kind: z.literal('impute'), value: z.number() }),
  }),
  z.strictObject({
    column: z.string(),
    as: z.literal('oneHot'),
    encoder: z.strictObject({ kind: z.literal('oneHot'), levels }),
  }),
]);

const document = z.strictObject({
  format: z.literal('bordereau-glm'),
  version: z.literal(1),
  design: z.strictObject({
    kind: z.literal('design'),
    version: z.literal(1),
    names: levels,
    categorical: z.array(z.number()).max(0),
    features: z.array(feature),
  }),
  glm: z.strictObject({
    kind: z.literal('glm'),
    family: z.union([
      z.enum(['normal', 'poisson', 'gamma', 'binomial']),
      z.strictObject({ tweedie: z.number().gt(1).lt(2) }),
    ]),
    names: levels,
    terms: z.array(z.strictObject({ name: z.string(), coefficient: z.number(), standardError: count.nullable() })),
    dispersion: count.nullable(),
    deviance: count,
    nullDeviance: count,
    degreesOfFreedom: count,
    iterations: count,
  }),
});

/** The document as JSON text. */
export function writeGlmDocument(design: Design, glm: Glm): string {
  return `${JSON.stringify({ format: 'bordereau-glm', version: 1, design, glm } satisfies GlmDocument, null, 2)}\n`;
}

/** Checks a parsed document. Throws InvalidModel for what is damaged, of another version, or whose parts do not fit together. */
export function readGlmDocument(json: unknown): GlmDocument {
  const checked = document.safeParse(json);
  if (!checked.success) throw new InvalidModel(`This GLM is damaged: ${z.prettifyError(checked.error)}`);
  const { design, glm } = checked.data;
  const named = ['intercept', ...glm.names];
  const fits =
    design.names.join('\n') === glm.names.join('\n') &&
    named.join('\n') === glm.terms.map(({ name }) => name).join('\n') &&
    design.features.reduce((sum, part) => sum + featuresOf(part), 0) === glm.names.length;
  if (!fits) throw new InvalidModel('This GLM is damaged: its coefficients are not those of its features.');
  // JSON made null of the NaN that a model without degrees of freedom has
  const known = (value: number | null) => value ?? NaN;
  const terms = glm.terms.map((term) => ({ ...term, standardError: known(term.standardError) }));
  return { ...checked.data, glm: { ...glm, terms, dispersion: known(glm.dispersion) } };
}

function featuresOf(part: z.output<typeof feature>): number {
  if (part.as === 'oneHot') return part.encoder.levels.length;
  return part.indicator ? 2 : 1;
}
