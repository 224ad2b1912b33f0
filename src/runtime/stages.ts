/** Every stage's function by its name. `Record` makes a missing one a type error. */
import { append } from '../stages/append.ts';
import { evaluate } from '../stages/evaluate.ts';
import { features } from '../stages/features.ts';
import { govern } from '../stages/govern.ts';
import { monitor } from '../stages/monitor.ts';
import { pin } from '../stages/pin.ts';
import { plan } from '../stages/plan.ts';
import { promote } from '../stages/promote.ts';
import { publish } from '../stages/publish.ts';
import { recommend } from '../stages/recommend.ts';
import { report } from '../stages/report.ts';
import { score } from '../stages/score.ts';
import { snapshot } from '../stages/snapshot.ts';
import type { Stage } from '../stages/stage.ts';
import { sweep } from '../stages/sweep.ts';
import { train } from '../stages/train.ts';
import { tune } from '../stages/tune.ts';
import { validate } from '../stages/validate.ts';
import type { StageName } from '../stages.ts';

export const stageFunctions: { [Name in StageName]: Stage<Name> } = {
  Validate: validate,
  Plan: plan,
  Features: features,
  Append: append,
  Snapshot: snapshot,
  Tune: tune,
  Train: train,
  Evaluate: evaluate,
  Govern: govern,
  Promote: promote,
  Pin: pin,
  Score: score,
  Publish: publish,
  Recommend: recommend,
  Monitor: monitor,
  Sweep: sweep,
  Report: report,
};
