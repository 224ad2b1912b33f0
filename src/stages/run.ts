import type * as z from 'zod';
import type { Ports } from '../ports/stage-ports.ts';
import { type StageInput, type StageName, type StageOutput, stages } from '../stages.ts';
import type { Stage } from './stage.ts';
import { withinPlaces } from './within-places.ts';

/** A state passed what the stage does not take, or a stage gave what it does not promise: the machine is at fault. */
export class StageContractBroken extends Error {
  override name = 'StageContractBroken';
}

/** Runs one stage between its two schemas; on AWS and on a laptop every stage is called through here. */
export async function runStage<Name extends StageName>(
  name: Name,
  stage: Stage<Name>,
  input: unknown,
  ports: Ports,
): Promise<StageOutput<Name>> {
  const checkedInput = check(name, 'input', stages[name].input, input) as StageInput<Name>;
  ports.telemetry.info('stage started', { stage: name, runId: checkedInput.runId });
  const startedMs = ports.clock.nowMs();
  const output = await stage(checkedInput, withinPlaces(ports, name));
  ports.telemetry.info('stage ended', { stage: name, milliseconds: ports.clock.nowMs() - startedMs });
  return check(name, 'output', stages[name].output, output) as StageOutput<Name>;
}

function check(name: StageName, side: 'input' | 'output', schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`);
  throw new StageContractBroken(
    `The ${side} of stage ${name} does not fit src/stages.ts: ${findings.join('; ')}. ` +
      'Compare the state of that name in statemachines/ with the stage.',
  );
}
