import { userInfo } from 'node:os';
import { type ExperimentPlan, percentAt } from '../governance/experiment.ts';
import {
  type ExperimentStatus,
  experimentStatus,
  setShadow,
  startExperiment,
  stopExperiment,
} from '../serving/experiments.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { required } from './arguments.ts';
import { type Call, type Command, UsageError, exitCodes } from './command.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Tries a version on a part of the live traffic: starts, shows how it stands, stops.',
  usage: 'start VERSION --reason TEXT | status | stop --reason TEXT | shadow VERSION --reason TEXT',
  examples: [
    [
      'bordereau experiment start 7 --steps 5:24,50:72 --reason "first dense network"',
      '5 % of the keys for a day, then half',
    ],
    ['bordereau experiment status', 'decisions and outcomes of both versions, and the sequential test'],
    [
      'bordereau experiment shadow 8 --reason "before it decides anything"',
      "scored beside the champion and used for nothing; the champion's number ends it",
    ],
    ['bordereau experiment stop --reason "enough seen"', 'everything to the champion again'],
  ],
  options: {
    'use-case': { ...useCaseOption, default: 'claim-decision' },
    reason: { type: 'string', value: 'TEXT', help: 'why; it stands in the log for ever' },
    steps: { type: 'string', value: 'P:H,…', help: 'percent:hours one after the other; the last one stays' },
  },
  positionals: { min: 1, max: 2 },
  async run(call) {
    const [verb, argument] = call.positionals;
    const ports = await localPorts(call);
    const useCase = call.text('use-case')!;
    if (verb === 'start') await start(call, ports, useCase, argument);
    else if (verb === 'status') await status(call, ports, useCase);
    else if (verb === 'stop') await stop(call, ports, useCase);
    else if (verb === 'shadow') await shadow(call, ports, useCase, argument);
    else
      throw new UsageError(
        `"experiment" knows start, status, stop and shadow, not "${verb}".`,
        'bordereau experiment --help',
      );
    return exitCodes.ok;
  },
};

async function start(call: Call, ports: Ports, useCase: string, argument: string | undefined): Promise<void> {
  const version = versionOf(argument);
  const { experiment } = useCaseOf(ports.catalogue, useCase).declaration;
  if (!experiment) {
    throw new UsageError(`The use case ${useCase} declares no "experiment": it decides nothing on live traffic.`);
  }
  const steps = stepsOf(call);
  const plan: ExperimentPlan = { ...experiment, salt: ports.ids.next(), ...(steps && { steps }) };
  const entry = await startExperiment(ports, useCase, { version, plan, ...saidOf(call) });
  call.output.print(
    `Version ${version} of ${useCase} is tried on ${plan.steps[0].percent} % of the keys (entry ${entry.sequence}).`,
  );
  call.output.document(entry);
}

async function shadow(call: Call, ports: Ports, useCase: string, argument: string | undefined): Promise<void> {
  const entry = await setShadow(ports, useCase, { version: versionOf(argument), ...saidOf(call) });
  call.output.print(`Version ${entry.version} of ${useCase} is the shadow (entry ${entry.sequence}).`);
  call.output.document(entry);
}

async function stop(call: Call, ports: Ports, useCase: string): Promise<void> {
  const entry = await stopExperiment(ports, useCase, saidOf(call));
  call.output.print(
    entry
      ? `All traffic of ${useCase} goes to version ${entry.version} again (entry ${entry.sequence}).`
      : `No experiment of ${useCase} runs.`,
  );
  call.output.document(entry ?? null);
}

async function status(call: Call, ports: Ports, useCase: string): Promise<void> {
  const found = await experimentStatus(ports, useCase);
  call.output.document(found);
  if (!found) return call.output.print(`No experiment of ${useCase} runs.`);
  const { experiment, arms, verdict } = found;
  call.output.table(
    ['arm', 'version', 'decisions', 'approved', 'reviewed', 'right', 'wrong'],
    [
      ['control', String(experiment.champion), ...cells(arms.control)],
      ['challenger', String(experiment.challenger), ...cells(arms.challenger)],
    ],
  );
  const percent = percentAt(experiment, ports.clock.nowMs());
  const p = verdict.test ? `, p ${verdict.test.pValue.toPrecision(2)} at every look` : ', nothing has matured yet';
  call.output.print(`The challenger has ${percent} % of the keys; verdict: ${verdict.verdict}${p}.`);
}

function cells({ decisions, positive, reviewed, right, wrong }: ExperimentStatus['arms']['control']): string[] {
  return [decisions, positive, reviewed, right, wrong].map(String);
}

function versionOf(argument: string | undefined): number {
  const version = Number(argument);
  if (Number.isInteger(version) && version > 0) return version;
  throw new UsageError('That takes the number of a version.', 'bordereau registry list');
}

/** `5:24,50:72` → 5 % for 24 hours, then 50 %. */
function stepsOf(call: Call): ExperimentPlan['steps'] | undefined {
  const given = call.text('steps');
  return given?.split(',').map((step) => {
    const [, percent, hours] = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(step) ?? [];
    if (!(Number(percent) > 0 && Number(percent) <= 100 && Number(hours) > 0)) {
      throw new UsageError(`--steps takes percent:hours with commas between them, not "${step}".`);
    }
    return { percent: Number(percent), hours: Number(hours) };
  });
}

const saidOf = (call: Call) => ({
  actor: userInfo().username,
  reason: required(call, 'reason', 'it stands in the log for ever'),
});
