import { modelComparison, modelsHeadline } from '../charts/model-comparison.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';

/** Candidates and baselines by cross-validation. */
export function modelChoice({ models }: RunFacts): Section | undefined {
  if (!models || models.metrics.length === 0 || !models.candidates.some((candidate) => candidate.scores.length > 0))
    return undefined;
  return {
    id: 'models',
    name: 'Models compared',
    headline: modelsHeadline(models),
    body: renderFigure(modelComparison(models), 'model-comparison'),
  };
}
