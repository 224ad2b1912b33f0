import { bottomAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { known, percent, quantity } from '../format.ts';
import { spanning } from '../scale.ts';
import { el, fragment } from '../svg.ts';
import type { OfferScores } from '../summaries/offer-scores.ts';
import { bar, inside, swatch } from './marks.ts';
import { rowsIn } from './rows.ts';

/** The scores of every offer over all members, against the minimum: highest median first. */
export function offerDistributions({
  offers,
  minimumScore,
  unit,
}: {
  offers: readonly OfferScores[];
  minimumScore: number;
  unit: string;
}): Figure {
  const ranked = offers.toSorted((a, b) => b.p50 - a.p50);
  return {
    title: sentence(ranked, minimumScore, unit),
    description: `One row per offer, the highest median first: the line is the median score over all members, the dark band half of them, the light band nine in ten; the dashed line is the minimum score. ${ranked.map(({ name, p50 }) => `${name}: ${quantity(p50, unit)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: el('path', { d: 'M0-6V6', class: 'line thick ink' }), text: 'median' },
      { sample: swatch('band inner'), text: 'half of the members' },
      { sample: swatch('band outer'), text: 'nine in ten' },
      { sample: el('path', { d: 'M0-6V6', class: 'line limit' }), text: 'minimum score' },
    ],
    note: 'Scores as the model gives them, before the priority weight.',
    draw: (frame) => draw(ranked, minimumScore, unit, frame),
    table: {
      columns: [
        { label: 'Offer' },
        ...['5 %', '25 %', 'Median', '75 %', '95 %', 'Reach the minimum'].map((label) => ({ label, numeric: true })),
      ],
      rows: ranked.map(({ name, p5, p25, p50, p75, p95, reachesMinimum }) => [
        name,
        ...[p5, p25, p50, p75, p95].map((value) => quantity(value, unit)),
        percent(reachesMinimum),
      ]),
    },
  };
}

function sentence(ranked: readonly OfferScores[], minimumScore: number, unit: string): string {
  if (ranked.length === 0) return 'Too few members to show how scores lie';
  const [first, last] = [ranked[0], ranked[ranked.length - 1]];
  const low = ranked.filter(({ p50 }) => p50 < minimumScore).length;
  const reach = low === 0 ? 'every median reaches the minimum' : `${low} of ${ranked.length} medians miss the minimum`;
  return `Median scores lie between ${quantity(last.p50, unit)} (${last.name}) and ${quantity(first.p50, unit)} (${first.name}); ${reach}`;
}

function draw(ranked: readonly OfferScores[], minimumScore: number, unit: string, frame: Frame): Drawing {
  const rows = rowsIn(frame, { names: ranked.map(({ name }) => name), rowHeight: 22, valueWidth: 70 });
  const x = spanning([minimumScore, ...ranked.flatMap(({ p5, p95 }) => [p5, p95])], [rows.left, rows.right], 0.03);
  const band = (from: number, to: number, y: number, style: string) =>
    known(from) && known(to) && bar(inside(x, from), y, inside(x, to) - inside(x, from), 12, style);
  return {
    height: rows.bottom + 36,
    marks: [
      bottomAxis(x, { top: rows.top, bottom: rows.bottom, unit, caption: 'score' }),
      known(minimumScore) &&
        el('line', { x1: x(minimumScore), x2: x(minimumScore), y1: rows.top, y2: rows.bottom, class: 'line limit' }),
      ranked.map(({ p5, p25, p50, p75, p95 }, r) =>
        fragment(
          rows.words(r, quantity(p50, unit)),
          band(p5, p95, rows.y(r) - 6, 'band outer'),
          band(p25, p75, rows.y(r) - 6, 'band inner'),
          known(p50) &&
            el('line', { x1: x(p50), x2: x(p50), y1: rows.y(r) - 7, y2: rows.y(r) + 7, class: 'line thick ink' }),
        ),
      ),
    ],
  };
}
