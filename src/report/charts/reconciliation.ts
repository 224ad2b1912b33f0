import type { DataQuality } from '../facts.ts';
import { label } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, percent } from '../format.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { bar, round, swatch } from './marks.ts';

type Part = { name: string; rows: number; style: string };

/** The rows of a drop and what became of each of them; a second bar enlarges those that were set aside. */
export function reconciliation(quality: DataQuality): Figure {
  const parts = partsOf(quality);
  return {
    title: qualityHeadline(quality).sentence,
    description: `The upper bar is the whole drop, cut by what became of its rows; the lower bar enlarges the rows that were not accepted. ${parts.map((part) => `${part.name}: ${count(part.rows)}.`).join(' ')}`,
    span: 'full',
    legend: parts.map((part) => ({
      sample: swatch(part.style),
      text: `${part.name} ${count(part.rows)}`,
    })),
    draw: (frame) => bars(parts, frame),
    table: {
      columns: [{ label: 'Rows' }, { label: 'Count', numeric: true }, { label: 'Share of the drop', numeric: true }],
      rows: [
        ...parts.map((part) => [part.name, count(part.rows), percent(part.rows / quality.droppedRows)]),
        ['Dropped in all', count(quality.droppedRows), percent(quality.droppedRows > 0 ? 1 : NaN)],
      ],
    },
  };
}

/** What became of the drop, in one sentence. */
export function qualityHeadline(quality: DataQuality): Headline {
  const { droppedRows, acceptedRows, quarantinedRows, rejectedRows, halted } = quality;
  const missing = droppedRows - acceptedRows - quarantinedRows - rejectedRows;
  if (!known(missing)) return { status: 'warned', sentence: 'The rows of the drop were not all counted' };
  if (missing !== 0) {
    const sentence =
      missing > 0
        ? `${counted(missing, 'row')} of the drop cannot be accounted for`
        : `${counted(-missing, 'row')} more than the drop held`;
    return { status: 'failed', sentence };
  }
  if (halted)
    return {
      status: 'failed',
      sentence:
        droppedRows === 0
          ? 'The file was refused as a whole: nothing entered silver'
          : `The drop of ${counted(droppedRows, 'row')} was halted: nothing entered silver`,
    };
  if (droppedRows === 0) return { status: 'warned', sentence: 'The drop was empty' };
  if (acceptedRows === droppedRows)
    return { status: 'passed', sentence: `All ${counted(droppedRows, 'row')} were accepted` };
  const aside = [
    quarantinedRows > 0 && `${count(quarantinedRows)} quarantined`,
    rejectedRows > 0 && `${count(rejectedRows)} rejected`,
  ].filter((part) => part !== false);
  return {
    status: 'passed',
    sentence: `${percent(acceptedRows / droppedRows)} of ${counted(droppedRows, 'row')} accepted, ${aside.join(', ')}, none lost`,
  };
}

function partsOf(quality: DataQuality): Part[] {
  const parts = [
    { name: 'Accepted', rows: quality.acceptedRows, style: 'fill blue' },
    { name: 'Quarantined', rows: quality.quarantinedRows, style: 'hatched orange' },
    { name: 'Rejected', rows: quality.rejectedRows, style: 'dotted red' },
  ];
  const missing = quality.droppedRows - parts.reduce((sum, part) => sum + part.rows, 0);
  return missing > 0 ? [...parts, { name: 'Unaccounted for', rows: missing, style: 'hollow red' }] : parts;
}

function bars(parts: readonly Part[], frame: Frame): Drawing {
  const whole = segments(parts, 0, frame.width);
  const aside = parts.slice(1);
  const marks: Markup[] = whole.map(({ part, from, to }) => segment(part, from, to, 0, 26));
  if (!aside.some(isThere)) return { height: 28, marks };

  // two lines lead from the sliver to its enlargement
  const sliver = whole.find(({ part }) => part !== parts[0])!.from;
  const left = frame.width * (frame.name === 'wide' ? 0.5 : 0.1);
  const [top, bottom] = [28, 52];
  marks.push(
    el('path', {
      d: `M${round(sliver)} ${top}L${round(left)} ${bottom}M${frame.width} ${top}V${bottom}`,
      class: 'line rule',
    }),
  );
  const enlarged = segments(aside, left, frame.width);
  const rows = aside.filter(isThere).reduce((sum, part) => sum + part.rows, 0);
  let free = left;
  for (const { part, from, to } of enlarged) {
    marks.push(segment(part, from, to, bottom + 2, 22));
    const text = `${count(part.rows)} ${part.name.toLowerCase()}`;
    const width = text.length * 7;
    // a label stands under its part, or ends with it where that leaves the label before untouched, or is left to the legend
    const start = to - from > width ? from : to - width;
    if (start < free) continue;
    marks.push(
      label(start === from ? from : to, bottom + 40, text, { anchor: start === from ? 'start' : 'end', class: 'n' }),
    );
    free = start + width;
  }
  if (frame.name === 'wide') {
    marks.push(
      label(left - 12, bottom + 17, `${counted(rows, 'row')} not accepted, enlarged`, {
        anchor: 'end',
        class: 'muted',
      }),
    );
  }
  return { height: bottom + 46, marks };
}

function isThere({ rows }: Part): boolean {
  return known(rows) && rows > 0;
}

/** Parts side by side over a length; what exists is at least 2 pixels long, so that it can be seen. */
function segments(parts: readonly Part[], left: number, right: number): { part: Part; from: number; to: number }[] {
  const there = parts.filter(isThere);
  const rows = there.reduce((sum, part) => sum + part.rows, 0);
  const length = right - left;
  const least = 2;
  const stretch = there.reduce((sum, part) => sum + Math.max(least, (part.rows / rows) * length), 0) / length;
  let at = left;
  return there.map((part) => {
    const from = at;
    at += Math.max(least, (part.rows / rows) * length) / stretch;
    return { part, from, to: at };
  });
}

/** With a hair of paper between neighbours. */
function segment(part: Part, from: number, to: number, y: number, height: number): Markup {
  return bar(from, y, Math.max(1, to - from - 1), height, part.style);
}
