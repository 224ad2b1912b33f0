import { type Recommend, recommendSchema } from '../../src/usecase/recommend.ts';

/** A small catalogue: three categories, three channels. */
export function sampleRecommend(changes: { [key: string]: unknown } = {}): Recommend {
  return recommendSchema.parse({
    top: 3,
    minimumScore: 30,
    consent: { email: 'consents_email', sms: 'consents_sms', mail: 'consents_mail' },
    caps: { perCategory: 2, perMonth: 4 },
    holdout: { share: 0.1, salt: 'autumn' },
    offers: [
      offer('PREV_001', 'Annual Wellness Visit Reminder', 'preventive_care', 1.2, ['email', 'sms']),
      { ...offer('PREV_002', 'Cancer Screening Program', 'preventive_care', 1.3, ['mail']), eligible: 'age >= 40' },
      offer('FIT_001', 'Gym Membership Discount', 'fitness', 0.9, ['sms']),
      offer('FIT_002', 'Nutrition Coaching', 'fitness', 1.1, ['email', 'mail']),
      offer('COST_001', 'HSA/FSA Optimization', 'cost_savings', 1, ['email']),
    ],
    exports: {
      campaign: { top: 2, columns: { Member: 'entityKey', Offer: 'offerName', Rank: 'rank', Channel: 'channel' } },
      crm: {
        top: 3,
        columns: { CONTACT_ID: 'entityKey', CAMPAIGN: 'offerId', PRIORITY: 'weightedScore', WHY: 'reason' },
      },
    },
    text: {
      features: {
        days_since_last_claim: {
          label: 'time since the last claim',
          bands: [{ name: 'short', below: 30 }, { name: 'some months', below: 180 }, { name: 'a long while' }],
        },
        has_diabetes: { label: 'care for diabetes', bands: [{ name: 'none', below: 0.5 }, { name: 'ongoing' }] },
        plan_type: { label: 'plan', levels: { HMO: 'with a network', PPO: 'with free choice' } },
      },
    },
    ...changes,
  });
}

function offer(id: string, name: string, category: string, priorityWeight: number, channels: string[]) {
  const description = `${name} for members who would like it`;
  return { id, name, category, description, priorityWeight, channels, cooldownDays: 30 };
}
