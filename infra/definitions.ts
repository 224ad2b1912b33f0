/** What the deployment has to know of `statemachines/*.asl.json`, read from the files themselves. */
import { readFileSync } from 'node:fs';
import type { Json } from '../src/data/json.ts';
import { type MachineName, type StageName, stageNames, substitutionOf } from '../src/stages.ts';

export type Definition = {
  /** The definition without its layout. */
  body: string;
  /** The `${…}` placeholders in it. */
  placeholders: readonly string[];
  stages: readonly StageName[];
  /** The labels of its distributed Maps: their items run as executions of their own. */
  distributedMaps: readonly string[];
  /** How many items of a Map may call each stage at once. */
  itemsAtOnce: Readonly<Partial<Record<StageName, number>>>;
};

export function definitionOf(machine: MachineName): Definition {
  const file = new URL(`../statemachines/${machine}.asl.json`, import.meta.url);
  const document = JSON.parse(readFileSync(file, 'utf8')) as State;
  const body = JSON.stringify(document);
  const placeholders = [...new Set(Array.from(body.matchAll(/\$\{(\w+)\}/g), ([, name]) => name))];
  const maps = mapsIn(document);
  return {
    body,
    placeholders,
    stages: stagesIn(body),
    distributedMaps: maps.filter(isDistributed).map((map) => map['Label'] as string),
    itemsAtOnce: Object.fromEntries(
      maps.flatMap((map) => stagesIn(JSON.stringify(map)).map((stage) => [stage, Number(map['MaxConcurrency'])])),
    ),
  };
}

type State = { [field: string]: Json };

const stagesIn = (text: string) => stageNames.filter((stage) => text.includes(`\${${substitutionOf(stage)}}`));

function mapsIn(value: Json): State[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.values(value).flatMap(mapsIn);
  return !Array.isArray(value) && value['Type'] === 'Map' ? [value, ...inside] : inside;
}

function isDistributed(map: State): boolean {
  const { ProcessorConfig } = map['ItemProcessor'] as { ProcessorConfig?: { Mode?: string } };
  return ProcessorConfig?.Mode === 'DISTRIBUTED';
}
