import type { TextFacts } from './facts.ts';
import { lexicons, numberWords, sentenceStarters } from './lexicon.ts';

/** Why a text is not used: a closed list, so that no record repeats what the text said. */
export const refusals = [
  'format',
  'length',
  'identifier',
  'number',
  'name',
  'promise',
  'medical-claim',
  'score',
  'instruction',
  'offer-missing',
] as const;
export type Refusal = (typeof refusals)[number];

const sentences = { least: 3, most: 4 };
const characters = { least: 80, most: 700 };

/**
 * The first reason not to use a text, or undefined. It must name the offer in three or four sentences of plain prose, and must
 * add nothing to the facts: no number in figures or words, no name (a capital letter where no sentence begins), nothing like an
 * identifier or address, no promise, no medical term, nothing about scores or about itself. Words of the facts are allowed.
 */
export function checkText(text: string, facts: TextFacts): Refusal | undefined {
  const given = [facts.offer.name, facts.offer.category, facts.offer.description];
  for (const { about, value } of facts.reasons) given.push(about, value);
  const source = given.join(' \n ');

  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u.test(text) || /[<>{}[\]|\\`*#•‣◦]|(?:^| )[-+] /.test(text)) return 'format';
  const found = text.match(/[.!?]+(?=["'”’)]*(?:\s|$))/g)?.length ?? 0;
  if (found < sentences.least || found > sentences.most || !/[.!?]["'”’)]*$/.test(text)) return 'length';
  if (text.length < characters.least || text.length > characters.most) return 'length';

  if (/@|_|:\/\/|\bwww\.|\.(?:com|net|org|io)\b|\b(?=\w*\p{L})(?=\w*\d)\w{4,}\b|\d{5,}|\b[\da-f]{12,}\b/iu.test(text))
    return 'identifier';
  if (addsNumber(text, source)) return 'number';
  if (addsName(text, source)) return 'name';
  const [known, written] = [source, text].map((of) => wordsOf(of.toLowerCase()).map(bare));
  const claim = lexicons.find(({ patterns }) =>
    patterns.some((pattern) => written.some((word) => pattern.test(word)) && !known.some((word) => pattern.test(word))),
  );
  if (claim) return claim.refusal;
  if (!text.includes(facts.offer.name)) return 'offer-missing';
  return undefined;
}

const wordPattern = /\p{L}[\p{L}\p{M}'’]*/gu;
const wordsOf = (text: string): string[] => text.match(wordPattern) ?? [];
/** Without what an apostrophe adds: `member's`, `we've`. */
const bare = (word: string): string => word.replace(/['’](?:s|re|ve|ll|d|m|t)?$/i, '');

/** Figures of any script, signs that stand for money or shares, and words for numbers, that the facts do not hold. */
function addsNumber(text: string, source: string): boolean {
  const numbers = (of: string) => [
    ...(of.match(/\p{N}+|[%‰\p{Sc}]/gu) ?? []),
    ...wordsOf(of.toLowerCase()).filter((word) => numberWords.has(word)),
  ];
  const given = new Set(numbers(source));
  return numbers(text).some((number) => !given.has(number));
}

/**
 * A word with a capital that the facts do not hold: within a sentence always, at its start unless sentences commonly start with
 * it. Letters beyond English are as telling.
 */
function addsName(text: string, source: string): boolean {
  const given = new Set(wordsOf(source).map(bare));
  const givenInSmall = new Set([...given].map((word) => word.toLowerCase()));
  for (const { 0: written, index } of text.matchAll(wordPattern)) {
    const word = bare(written);
    if (given.has(word) || word === 'I') continue;
    if (/[^A-Za-z'’]/.test(word)) return true;
    if (!/[A-Z]/.test(word)) continue;
    const starts = index === 0 || /[.!?]["'”’)]*\s+["'“‘(]*$/.test(text.slice(0, index));
    const plain = word.toLowerCase();
    const common =
      sentenceStarters.has(plain) || sentenceStarters.has(written.toLowerCase()) || givenInSmall.has(plain);
    if (!starts || !common || /[A-Z]/.test(word.slice(1))) return true;
  }
  return false;
}
