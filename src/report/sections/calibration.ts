import { calibrationCurve, calibrationHeadline } from '../charts/calibration-curve.ts';
import { lift } from '../charts/lift.ts';
import { residualFan } from '../charts/residual-fan.ts';
import type { RunFacts } from '../facts.ts';
import { figureGrid, renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';

/** Whether predictions mean what they say: calibration, lift and residuals. */
export function calibration({
  calibration,
  residuals,
  target = { name: 'target', unit: '' },
}: RunFacts): Section | undefined {
  const curve = calibration && calibration.groups.length > 0 ? calibration : undefined;
  const fan = residuals && residuals.groups.length > 0 ? residuals : undefined;
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
