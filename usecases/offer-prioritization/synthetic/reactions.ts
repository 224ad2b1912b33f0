import { offers } from '../offers.ts';
import type { Member } from './member.ts';

type OfferId = (typeof offers)[number]['id'];

/** How a member takes an offer: the truth that is planted, and that uplift and models are to find. */
export type Reaction = {
  /** The chance to use the service within four weeks without being told of it. */
  byThemselves: number;
  /** Of opening what is sent, of clicking what is opened, and of responding to what is clicked. */
  opens: number;
  clicks: number;
  responds: number;
};

/** The chance that the contact alone leads to a response. */
export const liftOf = ({ opens, clicks, responds }: Reaction): number => opens * clicks * responds;

/**
 * Two things decide: what a member needs, of which the rules know something, and what their household likes, of which they know
 * nothing: larger ones take to care of mind and chronic conditions, to help at home and to savings, smaller ones to prevention, pharmacy and a
 * navigator.
 */
export function reactionOf(member: Member, offerId: OfferId): Reaction {
  const category = categories.get(offerId)!;
  const need = needs[category](member);
  const isLiked = likedByLarger.has(category) === member.familySize >= 3;
  return {
    byThemselves: 0.01 + 0.03 * need,
    opens: isLiked ? 0.85 : 0.4,
    clicks: isLiked ? 0.65 : 0.2,
    responds: (isLiked ? 0.4 : 0.2) * (0.6 + 0.8 * need),
  };
}

const categories = new Map(offers.map(({ id, category }) => [id, category]));
const likedByLarger = new Set(['mental_health', 'chronic_disease', 'telehealth', 'fitness', 'cost_savings']);

const ofConditions = ({ chronicConditions }: Member) => Math.min(1, chronicConditions / 2);
const ofRisk = ({ riskHundredths }: Member) => riskHundredths / 10_000;
const ofAge = ({ age }: Member) => (age - 18) / 66;

/** By category, from 0 to 1. */
const needs: { [category: string]: (member: Member) => number } = {
  preventive_care: ofAge,
  chronic_disease: ofConditions,
  care_navigation: ofConditions,
  pharmacy: ofConditions,
  mental_health: ofRisk,
  telehealth: ofRisk,
  fitness: (member) => 1 - ofAge(member),
  cost_savings: ({ plan }) => Number(plan === 'HDHP'),
};
