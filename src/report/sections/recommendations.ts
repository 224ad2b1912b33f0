import { offerCategories } from '../charts/offer-categories.ts';
import { offerDistributions } from '../charts/offer-distributions.ts';
import { policyFunnel, policyHeadline } from '../charts/policy-funnel.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import { count, counted, quantity } from '../format.ts';
import type { Section } from '../section.ts';
import { el } from '../svg.ts';

/** What the contact policy made of the scores: who is told what, and what kept the rest back. */
export function recommendations({ recommendations: made, target }: RunFacts): Section | undefined {
  if (!made || made.members === 0) return undefined;
  const { texts, spentUsd, scores, minimumScore } = made;
  const contacts = spentUsd > 0 ? ` The contacts cost ${quantity(spentUsd, 'USD')}.` : '';
  const byModel =
    texts.requests > 0
      ? `, ${count(texts.fromModel)} of them by the language model (${counted(texts.requests, 'request')}, ${quantity(texts.spentUsd, 'USD')})`
      : ' by the template';
  return {
    id: 'recommendations',
    name: 'Recommendations',
    headline: policyHeadline(made),
    body: [
      renderFigure(policyFunnel(made), 'policy-funnel'),
      renderFigure(offerCategories(made), 'offer-categories'),
      scores.length > 0 &&
        renderFigure(offerDistributions({ offers: scores, minimumScore, unit: target?.unit ?? '' }), 'offer-scores'),
      el(
        'p',
        { class: 'note' },
        `${counted(texts.written, 'text')} ${texts.written === 1 ? 'was' : 'were'} written${byModel}.${contacts}`,
      ),
    ],
  };
}
