import type { Ports } from '../ports/stage-ports.ts';
import type { StageInput, StageOutput } from '../stages.ts';
import { append } from './append.ts';
import { features } from './features.ts';
import { plan as planBuilding } from './plan.ts';
import { againOnChange } from './common/sql.ts';

/** Builds the features of a run outside of the machine `ingest`, in the same steps, one bucket after the other. */
export function buildFeatures(run: StageInput<'Plan'>, ports: Ports): Promise<StageOutput<'Append'>> {
  return againOnChange(async () => {
    const { plan, partitions } = await planBuilding(run, ports);
    const parts = [];
    for (const partition of partitions) parts.push(await features({ ...run, plan, partition }, ports));
    return append({ ...run, plan, parts }, ports);
  });
}
