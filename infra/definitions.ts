/** What the deployment has to know of `statemachines/*.asl.json`, read from the files themselves. */
import { readFileSync } from 'node:fs';
import type { Json } from '../src/data/json.ts';
import { type MachineName, machineNames, type StageName, stageNames, substitutionOf } from '../src/stages.ts';

export type Definition = {
  /** The definition without its layout. */
  body: string;
  /** The `${…}` placeholders in it. */
  placeholders: readonly string[];
  stages: readonly StageName[];
  /** The labels of its distributed Maps: their items run as executions of their own. */
  distributedMaps: readonly string[];
  /** How many items of a Map may call a stage at once. */
  itemsAtOnce: Readonly<Partial<Record<StageName, number>>>;
};

export const definitions = Object.fromEntries(
  machineNames.map((machine) => [machine, definitionOf(machine)]),
) as Readonly<Record<MachineName, Definition>>;

/** How many items of a Map may call the stage at once; undefined where it stands in no Map. */
export const itemsAtOnce = (stage: StageName): number | undefined =>
  Object.values(definitions).find((definition) => stage in definition.itemsAtOnce)?.itemsAtOnce[stage];

function definitionOf(machine: MachineName): Definition {
  const file = new URL(`../statemachines/${machine}.asl.json`, import.meta.url);
  const document = JSON.parse(readFileSync(file, 'utf8')) as State;
  const body = JSON.stringify(document);
  const maps = mapsIn(document);
  return {
    body,
    placeholders: [...new Set(Array.from(body.matchAll(/\$\{(\w+)\}/g), ([, name]) => name))],
    stages: stagesIn(body),
    distributedMaps: maps.filter(isDistributed).map((map) => map['Label'] as string),
    itemsAtOnce: Object.fromEntries(
      maps.flatMap((map) => stagesIn(JSON.stringify(map)).map((stage) => [stage, Number(map['MaxConcurrency'])])),
    ),
  };
}

type State = { [field: string]: Json };

function stagesIn(text: string): StageName[] {
  return stageNames.filter((stage) => text.includes(`\${${substitutionOf(stage)}}`));
}

function mapsIn(value: Json): State[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.values(value).flatMap(mapsIn);
  return !Array.isArray(value) && value['Type'] === 'Map' ? [value, ...inside] : inside;
}

function isDistributed(map: State): boolean {
  const { ProcessorConfig } = map['ItemProcessor'] as { ProcessorConfig?: { Mode?: string } };
  return ProcessorConfig?.Mode === 'DISTRIBUTED';
}
