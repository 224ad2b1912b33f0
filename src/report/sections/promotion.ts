import { pairedImprovements } from '../charts/paired-improvements.ts';
import type { Promotion, RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import { versionName } from '../format.ts';
import { lead } from '../section.ts';
import type { Section } from '../section.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';

/** Champion and challenger: the decision, its reason, and the paired improvements behind it. */
export function promotion({ promotion }: RunFacts): Section | undefined {
  if (!promotion) return undefined;
  const headline = promotionHeadline(promotion);
  const improvements = promotion.improvements ?? [];
  return {
    id: 'promotion',
    name: promotion.champion ? 'Champion v challenger' : 'Promotion',
    headline,
    body: [
      lead(headline.sentence),
      el('p', {}, promotion.reason),
      improvements.length > 0 && renderFigure(pairedImprovements(promotion, improvements), 'paired-improvements'),
    ],
  };
}

/** The decision in one sentence; its reason stands beside it. */
export function promotionHeadline({ version, algorithm, decision, champion }: Promotion): Headline {
  const challenger = `${versionName(version)} (${algorithm})`;
  if (decision === 'promoted') {
    const sentence = champion
      ? `${challenger} promoted: it replaces ${versionName(champion.version)} (${champion.algorithm}) as champion`
      : `${challenger} promoted: the first champion`;
    return { status: 'passed', sentence };
  }
  if (decision === 'shadowed') {
    const meanwhile = champion ? `${versionName(champion.version)} stays champion meanwhile` : 'nothing is in use yet';
    return { status: 'passed', sentence: `${challenger} goes into shadow first: ${meanwhile}` };
  }
  return {
    status: 'warned',
    sentence: `${challenger} refused: ${champion ? `${versionName(champion.version)} stays champion` : 'there is no champion yet'}`,
  };
}
