import { calibrationCurve, calibrationHeadline } from '../charts/calibration-curve.ts';
import { lift } from '../charts/lift.ts';
import { residualFan } from '../charts/residual-fan.ts';
import type { Calibration, Residuals, RunFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';
import { isSmall } from '../small-groups.ts';

/** Whether predictions mean what they say: calibration, lift and residuals. */
export function calibration({
  calibration,
  residuals,
  target = { name: 'target', unit: '' },
}: RunFacts): Section | undefined {
  const curve = tellable(calibration);
  const fan = tellable(residuals);
  if (!curve && !fan) return undefined;
  const fanFigure = fan && residualFan(fan, target);
  return {
    id: 'calibration',
    name: 'Calibration',
    headline: curve ? calibrationHeadline(curve) : { status: 'notice', sentence: fanFigure!.title },
    body: [
      curve &&
        figureGrid([
          renderFigure(calibrationCurve(curve, target), 'calibration-curve'),
          renderFigure(lift(curve, target), 'lift'),
        ]),
      fanFigure && renderFigure(fanFigure, 'residuals'),
    ],
  };
}

/** Without groups of 1 to 10 rows; nothing where no other group is there. */
function tellable<Facts extends Calibration | Residuals>(facts: Facts | undefined): Facts | undefined {
  const groups = facts?.groups.filter(({ rows }) => !isSmall(rows)) ?? [];
  return facts && groups.length > 0 ? { ...facts, groups } : undefined;
}
