import { type Columns, isMissing } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign } from '../../ml/encoders/design.ts';
import { fitGlmLeavingOut } from '../../ml/glm/aliased.ts';
import type { Glm } from '../../ml/glm/glm.ts';
import { type GlmParameters, familyOf } from '../../ml/glm/parameters.ts';
import type { Matrix } from '../../ml/matrix.ts';
import type { Declaration } from '../../usecase/declaration.ts';

/**
 * A GLM of the declared features with its encoders: numbers are imputed by their median, beside a feature for what was missing;
 * categories become a feature for each level but the first. A feature that others determine gets no coefficient, because the
 * declared features are those of all models. Throws `GlmError` for a coefficient that does not settle.
 */
export function learnGlm(
  { features }: Declaration,
  parameters: GlmParameters,
  columns: Columns,
  label: Float64Array,
): { design: Design; model: Glm } {
  const spec: DesignSpec = [
    ...features.numeric.map((column) => {
      const indicator = Array.from(columns[column] ?? []).some(isMissing);
      return { column, as: 'number', impute: 'median', indicator } as const;
    }),
    ...features.categorical.map((column) => ({ column, as: 'oneHot', dropFirst: true }) as const),
  ];
  const design = fitDesign(missingAsLevel(columns, features.categorical), spec);
  return { design, model: fitGlmLeavingOut(glmMatrix(design, columns), label, { family: familyOf(parameters) }) };
}

/** The features as the GLM takes them. */
export function glmMatrix(design: Design, columns: Columns): Matrix {
  const categorical = design.features.filter(({ as }) => as === 'oneHot').map(({ column }) => column);
  return applyDesign(design, missingAsLevel(columns, categorical));
}

/** Missing categories are a level of their own: one-hot encoded as they are, they would pass for the first one. */
function missingAsLevel(columns: Columns, categorical: readonly string[]): Columns {
  const named = categorical
    .filter((name) => Object.hasOwn(columns, name))
    .map((name) => [name, Array.from(columns[name], (cell) => (isMissing(cell) ? 'missing' : cell))]);
  return { ...columns, ...(Object.fromEntries(named) as Columns) };
}
