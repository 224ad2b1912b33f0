import { readFile } from 'node:fs/promises';
import type { Json } from '../data/json.ts';
import { type MachineName, machineNames, stageNames, substitutionOf } from '../stages.ts';

/** The account and region in the names of what runs here; AWS gives no account this number. */
const prefix = 'local:000000000000';

export const eventBusName = 'bordereau';
export const bronzeBucket = 'bronze';
export const noticesTopicArn = `arn:aws:sns:${prefix}:notices`;
export const functionArn = (stage: string) => `arn:aws:lambda:${prefix}:function:${stage}`;
export const stateMachineArn = (machine: string) => `arn:aws:states:${prefix}:stateMachine:${machine}`;

/** What the deployment puts into the placeholders of the machines, with local names. */
const substitutions: { [name: string]: string } = {
  eventBusName,
  noticesTopicArn,
  ...Object.fromEntries(stageNames.map((stage) => [substitutionOf(stage), functionArn(stage)])),
};

/** The deployed machines' definitions, from the very files. */
export async function machineDefinitions(): Promise<{ [Name in MachineName]: Json }> {
  const entries = await Promise.all(
    machineNames.map(async (name) => {
      const text = await readFile(new URL(`../../statemachines/${name}.asl.json`, import.meta.url), 'utf8');
      return [name, JSON.parse(substitute(text)) as Json] as const;
    }),
  );
  return Object.fromEntries(entries) as { [Name in MachineName]: Json };
}

function substitute(text: string): string {
  return text.replace(/\$\{(\w+)\}/g, (placeholder, name: string) => {
    const value = substitutions[name];
    if (value === undefined) throw new Error(`Nothing is known to put into the placeholder ${placeholder}.`);
    return value;
  });
}
