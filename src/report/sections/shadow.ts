import { sampleOverlay } from '../charts/drift-overlay.ts';
import type { RunFacts, ShadowFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import { count, counted, percent, versionName } from '../format.ts';
import { lead, tableHeading } from '../section.ts';
import type { Section } from '../section.ts';
import { hideSmall } from '../small-groups.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import { table } from '../table.ts';

/** What a version has done in shadow: its predictions against those of its frozen test set, and what it would have decided. */
export function shadow({ shadow, target = { name: 'target', unit: '' } }: RunFacts): Section | undefined {
  if (!shadow) return undefined;
  const headline = shadowHeadline(shadow);
  const { champion, overlay = [], testRows = 0 } = shadow;
  return {
    id: 'shadow',
    name: 'Shadow',
    headline,
    body: [
      lead(headline.sentence),
      el(
        'p',
        { class: 'note' },
        'Nothing acts on what a version predicts in shadow: it is stored apart and read by the gates alone.',
      ),
      overlay.length > 0 &&
        figureGrid([
          renderFigure(
            sampleOverlay(
              { name: 'prediction', unit: target.unit, title: 'Predictions in shadow and on the frozen test set' },
              overlay,
              {
                reference: { label: 'frozen test set', rows: testRows },
                analysis: { label: 'in shadow', rows: shadow.rows },
              },
            ),
            'shadow-scores',
          ),
        ]),
      champion && champion.rows > 0 && tableHeading(`Decided by version ${champion.version}, and in shadow`),
      champion && champion.rows > 0 && table(decisionTable(champion), 'Decisions of the champion and of the shadow'),
    ],
  };
}

/** What was seen, in one sentence. */
export function shadowHeadline({ version, rows, runs, failures, champion }: ShadowFacts): Headline {
  const seen = `${versionName(version)} has scored ${counted(rows, 'row')} in ${counted(runs, 'run')} in shadow`;
  const failed = failures === 0 ? 'all with a prediction' : `${counted(failures, 'row')} without a prediction`;
  const differing = champion?.decisions.filter((cell) => cell.champion !== cell.shadow) ?? [];
  const share = differing.reduce((sum, cell) => sum + cell.rows, 0) / (champion?.rows ?? NaN);
  const beside = champion
    ? `; ${percent(share)} of ${counted(champion.rows, 'row')} decided otherwise than by ${versionName(champion.version)}`
    : '; there is no champion to compare with';
  return { status: failures === 0 ? 'passed' : 'warned', sentence: `${seen}, ${failed}${beside}` };
}

function decisionTable({ rows, decisions }: NonNullable<ShadowFacts['champion']>) {
  const shown = hideSmall(decisions.map((cell) => cell.rows));
  return {
    columns: [
      { label: 'Champion' },
      { label: 'Shadow' },
      { label: 'Rows', numeric: true },
      { label: 'Share', numeric: true },
    ],
    rows: decisions.map(({ champion, shadow }, i) => {
      const told = shown[i];
      return [
        champion,
        shadow,
        told === undefined ? 'not told' : count(told),
        told === undefined ? '' : percent(told / rows),
      ];
    }),
  };
}
