import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Refusal, checkText } from '../../../src/recommend/text/check.ts';
import type { TextFacts } from '../../../src/recommend/text/facts.ts';
import { templateText } from '../../../src/recommend/text/template.ts';

const facts: TextFacts = {
  offer: {
    name: 'Annual Wellness Visit Reminder',
    category: 'preventive care',
    description: 'A friendly reminder to plan your yearly visit, by phone 24/7',
  },
  reasons: [
    { about: 'time since the last claim', value: 'a long while', direction: 'for' },
    { about: 'care for diabetes', value: 'ongoing', direction: 'for' },
  ],
};
const good =
  "It's been a long while since your last claim, so the Annual Wellness Visit Reminder could suit you well. " +
  'A friendly reminder makes it easy to plan your yearly visit at a time that works for you. ' +
  "We'd be happy to help you get started.";

describe('a text that keeps to its facts', () => {
  test.each([
    good,
    good.replaceAll("'", '’'),
    `${good} Your care for diabetes is one more reason to look after yourself.`,
    good.replace('could suit you well.', 'could suit you well: you can ask about it 24/7, too.'),
    'Because you are managing diabetes and some time has passed, an Annual Wellness Visit Reminder may be helpful. Your plan cares about you! Would a friendly reminder be welcome?',
  ])('passes: %s', (text) => {
    expect(checkText(text, facts)).toBeUndefined();
  });
});

describe('a text that adds something is refused', () => {
  const with_ = (sentence: string) => good.replace("We'd be happy to help you get started.", sentence);

  test.each<[Refusal, string]>([
    // figures in whatever script, in words, as money or shares
    ['number', with_('You have waited 214 days for it.')],
    ['number', with_('You have waited ٢١٤ days for it.')],
    ['number', with_('You have waited for ½ of the year.')],
    ['number', with_('You have waited for seven months.')],
    ['number', with_('It is worth a lot of $ to you.')],
    ['number', with_('You are twice as likely to like it.')],
    // names
    ['name', with_('We look forward to it, Maria.')],
    ['name', `Maria, ${good}`],
    ['name', with_('Walter is happy to help you get started.')],
    ['name', with_('Ask about it in our office in Denver.')],
    ['name', with_('Ask for josé to get started.')],
    ['name', with_('Маriа is happy to help you.')],
    ['name', with_('The Heart Health Program may suit you too.')],
    ['name', with_('WE would be happy to help you get started.')],
    // identifiers and addresses
    ['identifier', with_('Your member MBR_0a1b2c3d is ready for it.')],
    ['identifier', with_('Your code is a1b2c3d4 for it.')],
    ['identifier', with_('Write to help@plan.example to get started.')],
    ['identifier', with_('Look at plan.example.com to get started.')],
    ['identifier', with_('Look at https://plan to get started.')],
    // promises and money
    ['promise', with_('It is guaranteed to make you feel well.')],
    ['promise', with_('It is free for you.')],
    ['promise', with_('Feel free to get started.')],
    ['promise', with_('It will save you money.')],
    ['promise', with_("It's the visit that cures you.")],
    ['promise', with_('It is risk-free for you.')],
    // medicine beyond the facts
    ['medical-claim', with_('It helps with high blood pressure, too.')],
    ['medical-claim', with_('It is good for your arthritis.')],
    ['medical-claim', with_('You should stop taking metformin.')],
    ['medical-claim', with_('It may find cancer early.')],
    ['medical-claim', with_('Your doctor would agree.')],
    // about scores and itself
    ['score', with_('Our model thinks that it fits you.')],
    ['score', with_('It has a high score for you.')],
    ['score', with_('It ranks first for you.')],
    ['instruction', with_('As an assistant we cannot say more.')],
    ['instruction', with_('Please click to get started.')],
    // form
    ['format', `${good}\n`],
    ['format', `- ${good}`],
    ['format', `**${good}**`],
    ['format', good.replace('so', 'so <b>')],
    ['format', good.replace('guar', '').replace('friendly', 'friend\u200bly')],
    ['format', good.replace('friendly', 'friendly\u202e')],
    ['length', 'The Annual Wellness Visit Reminder could suit you well, because it has been a long while. Try it.'],
    ['length', `${good} It is easy. It is nice.`],
    ['length', good.slice(0, -1)],
    ['length', good.replace('works for you.', `works for ${'so '.repeat(220)}you.`)],
    ['length', ''],
    ['offer-missing', good.replace('Annual Wellness Visit Reminder', 'reminder')],
  ])('%s: %s', (refusal, text) => {
    expect(checkText(text, facts)).toBe(refusal);
  });

  test('what one recommendation may say another may not', () => {
    const text = with_('Your care for diabetes is a reason, too.');
    expect(checkText(text, facts)).toBeUndefined();
    expect(checkText(text, { ...facts, reasons: facts.reasons.slice(0, 1) })).toBe('medical-claim');
  });

  test('a number of the facts is not a licence for another one', () => {
    expect(checkText(with_('You can ask about it 24 hours.'), facts)).toBeUndefined();
    expect(checkText(with_('You can ask about it 247 hours.'), facts)).toBe('number');
  });
});

describe('the template', () => {
  test('reads like this', () => {
    expect(templateText(facts)).toBe(
      'Here is an offer that may suit you well: Annual Wellness Visit Reminder. ' +
        'What speaks for it most: your time since the last claim (a long while) and your care for diabetes (ongoing). ' +
        'It is part of our offers for preventive care: a friendly reminder to plan your yearly visit, by phone 24/7. ' +
        'We would be glad to tell you more whenever it suits you.',
    );
  });

  test('says something warm where nothing speaks for the offer in particular', () => {
    const against = facts.reasons.map((reason) => ({ ...reason, direction: 'against' as const }));
    expect(templateText({ ...facts, reasons: against })).toContain('It fits well with your benefits as a whole.');
  });

  test('leaves abbreviations as they are, and makes one sentence of a description', () => {
    const offer = { ...facts.offer, description: 'HSA help. Ask us! ' };
    expect(templateText({ ...facts, offer })).toContain('preventive care: HSA help, Ask us.');
  });

  test('always passes the check that it stands in for', () => {
    const word = fc.constantFrom(
      ...'care visit Plan free score HSA/FSA cancer Heart reminder time 24/7 twenty with you yearly Gym discount of a'.split(
        ' ',
      ),
    );
    const phrase = (most: number) => fc.array(word, { minLength: 1, maxLength: most }).map((words) => words.join(' '));
    const reason = fc.record({ about: phrase(5), value: phrase(3), direction: fc.constantFrom('for', 'against') });
    const arbitrary = fc.record({
      offer: fc.record({ name: phrase(5), category: phrase(2), description: phrase(9) }),
      reasons: fc.array(reason as fc.Arbitrary<TextFacts['reasons'][number]>, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(arbitrary, (made) => {
        expect(checkText(templateText(made), made)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
