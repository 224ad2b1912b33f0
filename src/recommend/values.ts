import { quoteText } from '../data/quote.ts';
import type { Recommend } from '../usecase/recommend.ts';

/** The declared offers as a relation `o`, in their order: i, offer_id, offer_name, category, description, priority_weight. */
export function offerValues({ offers }: Recommend): string {
  const values = offers.map(({ id, name, category, description, priorityWeight }, i) => {
    const texts = [id, name, category, description].map(quoteText);
    return `(${i}, ${texts.join(', ')}, ${priorityWeight}::DOUBLE)`;
  });
  return `(VALUES ${values.join(', ')}) AS o(i, offer_id, offer_name, category, description, priority_weight)`;
}

/** The declared channels as a relation `c`, in their order: i, channel. */
export function channelValues({ consent }: Recommend): string {
  const values = Object.keys(consent).map((channel, i) => `(${i}, ${quoteText(channel)})`);
  return `(VALUES ${values.join(', ')}) AS c(i, channel)`;
}
