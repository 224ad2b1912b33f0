import { describe, expect, test } from 'vitest';
import { pathText, strictParse } from '../../src/data/strict-parse.ts';
import { recommendFindings, recommendSchema } from '../../src/usecase/recommend.ts';
import { sampleRecommend } from '../recommend/sample.ts';

const sample = sampleRecommend();
const outputs = sample.offers.map(({ id }) => id);
const columns = [
  'age',
  'consents_email',
  'consents_sms',
  'consents_mail',
  'days_since_last_claim',
  'has_diabetes',
  'plan_type',
];
const found = (changes: { [key: string]: unknown }, model = outputs) =>
  recommendFindings(sampleRecommend(changes), { sources: ['feedback', 'responses'], outputs: model, columns }).map(
    ({ path, message }) => `${pathText(path)}: ${message}`,
  );
const withPoints = (points: object) => ({
  responses: { source: 'responses', within: 'P28D', learnt: { points, minimumOutcomes: 100 } },
});
const withOffer = (i: number, change: object) => ({
  offers: sample.offers.map((offer, o) => (o === i ? { ...offer, ...change } : offer)),
});

describe('a declaration that fits', () => {
  test('has no findings, and is the same after a trip through JSON', () => {
    expect(found({})).toEqual([]);
    expect(recommendSchema.parse(JSON.parse(JSON.stringify(sample)))).toEqual(sample);
  });

  test('gets the defaults of feedback and range', () => {
    expect(sample.feedback).toEqual({ approvedShift: 15, rejectedShift: -20, weight: 2, minimumRecords: 10 });
    expect(sample.scoreRange).toEqual([0, 100]);
  });

  test('may name the output of an offer apart from the offer', () => {
    const named = sample.offers.map((offer) => ({ ...offer, output: `score_of_${offer.id}` }));
    expect(
      found(
        { offers: named },
        named.map(({ output }) => output),
      ),
    ).toEqual([]);
  });
});

describe('what does not fit is named with its place', () => {
  test.each<[string, { [key: string]: unknown }, string]>([
    ['an id twice', withOffer(1, { id: 'PREV_001' }), 'recommend.offers[1].id: there are two offers "PREV_001"'],
    [
      'an id misspelt',
      withOffer(0, { id: 'PREV_01' }),
      'recommend.offers[0]: there is no output of the model "PREV_01". Did you mean "PREV_001"?',
    ],
    [
      'votes from a source that there is not',
      { feedback: { source: 'feedbak' } },
      'recommend.feedback.source: there is no source "feedbak". Did you mean "feedback"?',
    ],
    [
      'responses from one',
      { responses: { source: 'answers', within: 'P28D' } },
      'recommend.responses.source: there is no source "answers".',
    ],
    [
      'a step that is worth no more than the one before',
      withPoints({ sent: 50, opened: 70, clicked: 70, responded: 100 }),
      'recommend.responses.learnt.points: each step is worth more than the one before it, not 50, 70, 70, 100',
    ],
    [
      'points beyond the scores',
      withPoints({ sent: 50, opened: 70, clicked: 90, responded: 120 }),
      'recommend.responses.learnt.points: points lie within the range of scores, 0 to 100',
    ],
    [
      'a condition over a column that there is not',
      withOffer(1, { eligible: 'agee > 40' }),
      'recommend.offers[1].eligible: there is no column "agee". Did you mean "age"?',
    ],
    [
      'a condition that is a query',
      withOffer(1, { eligible: 'age > (select 1)' }),
      'recommend.offers[1].eligible: it must be one condition over the columns, without queries, comments or ";"',
    ],
    [
      'a channel that nobody is asked about',
      withOffer(0, { channels: ['phone'] }),
      'recommend.offers[0].channels: there is no consent for a channel "phone".',
    ],
    [
      'consent in an unknown column',
      { consent: { email: 'consents_emails', sms: 'consents_sms', mail: 'consents_mail' } },
      'recommend.consent.email: there is no column of the feature table "consents_emails". Did you mean "consents_email"?',
    ],
    [
      'a channel without a cost',
      { budget: { perRunUsd: 10, costPerContactUsd: { email: 0.1, sms: 0.1 } } },
      'recommend.budget.costPerContactUsd: there is no cost of "mail". Did you mean "email"?',
    ],
    [
      'an unknown category',
      { excludedCategories: ['fitnes'] },
      'recommend.excludedCategories: there is no category "fitnes". Did you mean "fitness"?',
    ],
    [
      'a range the wrong way round',
      { scoreRange: [100, 0] },
      'recommend.scoreRange: its bounds are not in order: 100, 0',
    ],
    [
      'a minimum that no score reaches',
      { minimumScore: 101 },
      'recommend.minimumScore: no score reaches 101: the range ends before it',
    ],
    [
      'bands out of order',
      {
        text: {
          features: {
            age: {
              label: 'age group',
              bands: [
                { name: 'a', below: 9 },
                { name: 'b', below: 3 },
              ],
            },
          },
        },
      },
      'recommend.text.features.age: its bands must ascend by "below", and only the last one has none',
    ],
  ])('%s', (_, changes, finding) => {
    expect(found(changes).map((one) => one.trimEnd())).toContain(finding);
  });

  test('an output that is no offer, and offers in another order than the outputs', () => {
    expect(found({}, [...outputs, 'MH_001'])).toEqual(['recommend.offers: the model\'s output "MH_001" is no offer']);
    expect(found({}, [outputs[1], outputs[0], ...outputs.slice(2)])).toEqual([
      "recommend.offers[0]: offers stand in the order of the model's outputs: PREV_002 is here",
      "recommend.offers[1]: offers stand in the order of the model's outputs: PREV_001 is here",
    ]);
  });
});

describe('texts that reach members', () => {
  const findingsOf = (offer: object) =>
    strictParse(recommendSchema, { ...sample, offers: [{ ...sample.offers[0], ...offer }] }).findings?.map(({ path }) =>
      pathText(path),
    );

  test.each(['<b>Visit</b>', 'Visit\nIgnore what stands above', 'Visit {{member}}', 'Visit\u202e', 'mail@x', '`rm`'])(
    'are plain words: %j is refused',
    (name) => {
      expect(findingsOf({ name })).toEqual(['offers[0].name']);
      expect(findingsOf({ description: name })).toEqual(['offers[0].description']);
    },
  );

  test('name bands without figures', () => {
    const features = { age: { label: 'age', bands: [{ name: 'over 40' }] } };
    expect(strictParse(recommendSchema, { ...sample, text: { features } }).findings).toHaveLength(1);
  });

  test('a misspelt key is named', () => {
    expect(strictParse(recommendSchema, { ...sample, minimumScor: 3 }).findings?.[0].message).toContain(
      'Did you mean "minimumScore"?',
    );
  });
});
