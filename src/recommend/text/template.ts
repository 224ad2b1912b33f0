import type { Reason, TextFacts } from './facts.ts';

/** Four sentences that say why the offer may suit the member: the same for the same facts, without a score or a number. */
export function templateText({ offer, reasons }: TextFacts): string {
  const speakingFor = reasons.filter(({ direction }) => direction === 'for').slice(0, 2);
  return [
    `Here is an offer that may suit you well: ${offer.name}.`,
    speakingFor.length === 0
      ? 'It fits well with your benefits as a whole.'
      : `What speaks for it most: ${speakingFor.map(told).join(' and ')}.`,
    `It is part of our offers for ${offer.category}: ${withinSentence(offer.description)}.`,
    'We would be glad to tell you more whenever it suits you.',
  ].join(' ');
}

function told({ about, value }: Reason): string {
  return `your ${about} (${value})`;
}

/** Without its full stop, and in small letters unless it begins with an abbreviation. */
function withinSentence(description: string): string {
  const text = description.replace(/[\s.!?]+$/, '').replaceAll(/[.!?](?=\s)/g, ',');
  return /^\p{Lu}[\p{Ll} ]/u.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}
