import type { Offer, Recommend, TextFeature } from '../../usecase/recommend.ts';

/**
 * All that a text about a recommendation may be made of. Everything in it is wording of the declaration: a member's value only
 * chooses among the names of bands and levels, so that nothing a member or partner wrote can get into a text or a prompt.
 */
export type TextFacts = {
  offer: { name: string; category: string; description: string };
  /** Strongest first. */
  reasons: Reason[];
};

/** `about`, after "your": `time since the last claim`; `value`: `a long while`. */
export type Reason = { about: string; value: string; direction: 'for' | 'against' };

/** A feature's value of one member, and what it adds to the offer's score (SHAP). */
export type Contribution = { feature: string; value: number | string | boolean | null; contribution: number };

const mostReasons = 5;

/** The facts of one recommendation. Features that the declaration does not name, and values without a name, are left out. */
export function textFacts(
  { text }: Pick<Recommend, 'text'>,
  { name, category, description }: Offer,
  contributions: readonly Contribution[],
): TextFacts {
  const reasons = contributions
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .flatMap(({ feature, value, contribution }): Reason[] => {
      const wording = Object.hasOwn(text.features, feature) ? text.features[feature] : undefined;
      const named = wording && nameOf(value, wording);
      if (named === undefined || !(Math.abs(contribution) > 0)) return [];
      return [{ about: wording!.label, value: named, direction: contribution > 0 ? 'for' : 'against' }];
    });
  return {
    offer: { name, category: category.replaceAll('_', ' '), description },
    reasons: reasons.slice(0, mostReasons),
  };
}

function nameOf(value: Contribution['value'], { bands, levels }: TextFeature): string | undefined {
  if (value === null) return undefined;
  if (levels) return Object.hasOwn(levels, String(value)) ? levels[String(value)] : undefined;
  const number = Number(value);
  if (typeof value === 'string' || Number.isNaN(number)) return undefined;
  return bands!.find(({ below }) => below === undefined || number < below)?.name;
}
