import type { Ports } from '../ports/stage-ports.ts';
import type { StageInput, StageName, StageOutput } from '../stages.ts';

/** What every file in this folder exports: from a checked input and the ports to an output, keys and counts only. */
export type Stage<Name extends StageName> = (input: StageInput<Name>, ports: Ports) => Promise<StageOutput<Name>>;
