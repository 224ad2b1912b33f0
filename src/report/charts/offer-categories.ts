import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, percent } from '../format.ts';
import { hideSmall, minimumGroupRows } from '../small-groups.ts';
import { el, fragment } from '../svg.ts';
import { bar } from './marks.ts';
import { rowsIn } from './rows.ts';

/** In declared order. */
export type SentOffers = readonly { name: string; category: string; sent: number }[];

type Category = { name: string; sent: number; offers: { name: string; shown?: number }[]; told: boolean };

/** What is sent by category, the most frequent first, each bar cut by its offers. */
export function offerCategories({ offers }: { offers: SentOffers }): Figure {
  const all = offers.reduce((sum, { sent }) => sum + sent, 0);
  const categories = categoriesOf(offers);
  return {
    title: sentence(categories, all),
    description: `Offers that are sent, by category, the most frequent first; each bar is a share of all ${counted(all, 'offer')} sent, cut where one offer of the category ends and the next begins. ${categories.map((category) => `${category.name}: ${tell(category)}.`).join(' ')}`,
    span: 'full',
    note: categories.some(({ told }) => !told)
      ? `Offers sent to fewer than ${minimumGroupRows} members are not told, nor those that would give them away.`
      : undefined,
    draw: (frame) => draw(categories, all, frame),
    table: {
      columns: [
        { label: 'Category' },
        { label: 'Offer' },
        { label: 'Sent', numeric: true },
        { label: 'Share', numeric: true },
      ],
      rows: categories.flatMap((category) =>
        category.offers.map(({ name, shown }) => [
          category.name,
          name,
          shown === undefined ? 'not told' : count(shown),
          shown === undefined || all === 0 ? '' : percent(shown / all),
        ]),
      ),
    },
  };
}

function categoriesOf(offers: SentOffers): Category[] {
  const shown = hideSmall(offers.map(({ sent }) => sent));
  const byName = new Map<string, Category>();
  for (const [i, { category, name, sent }] of offers.entries()) {
    const words = category.replaceAll('_', ' ');
    const found = byName.get(words) ?? { name: words, sent: 0, offers: [], told: true };
    found.offers.push({ name, shown: shown[i] });
    found.sent += sent;
    found.told &&= shown[i] !== undefined;
    byName.set(words, found);
  }
  return [...byName.values()].sort((a, b) => b.sent - a.sent);
}

function sentence(categories: readonly Category[], all: number): string {
  const first = categories.find(({ told }) => told);
  if (!first || all === 0)
    return `${counted(all, 'offer')} sent in ${counted(categories.length, 'category', 'categories')}`;
  const unused = categories.filter(({ sent }) => sent === 0).length;
  const rest = unused === 0 ? 'every category gets some' : `${unused} of ${categories.length} categories get none`;
  const name = first.name[0].toUpperCase() + first.name.slice(1);
  return `${name} has ${percent(first.sent / all)} of ${counted(all, 'offer')} sent; ${rest}`;
}

function tell({ told, sent }: Category): string {
  return told ? count(sent) : 'not told';
}

function draw(categories: readonly Category[], all: number, frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: categories.map(({ name }) => name), rowHeight: 24, valueWidth: 140 });
  // the longest bar takes the room there is
  const most = Math.max(1, ...categories.map(({ sent }) => sent));
  const scale = (rows.right - rows.left) / most;
  return {
    height: rows.bottom,
    marks: categories.map((category, r) => {
      const y = rows.y(r) - 7;
      let end = rows.left;
      const cuts = category.offers.slice(0, -1).map(({ shown = 0 }) => (end += shown * scale));
      return fragment(
        rows.words(
          r,
          category.told ? `${count(category.sent)}  ·  ${percent(category.sent / (all || NaN))}` : 'not told',
        ),
        category.told && [
          bar(rows.left, y, category.sent * scale, 14, 'fill blue'),
          cuts.filter(known).map((x) => el('rect', { x: x - 1, y, width: 2, height: 14, class: 'ground' })),
        ],
      );
    }),
  };
}
