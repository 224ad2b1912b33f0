/**
 * What a run has to tell: each stage writes its part of the report's facts under the run, and the report is their union. A
 * stage that runs twice writes the same document again.
 */
import type { Ports } from '../../ports/stage-ports.ts';
import type { RunFacts } from '../../report/facts.ts';
import type { StageName } from '../../stages.ts';
import { fromJsonBytes, toJsonBytes } from './json.ts';

type Run = { useCase: string; runId: string };

/** One stage's share; the identity of the run and its graph are the report's own to find. */
export type StageFacts = Partial<Omit<RunFacts, 'run' | 'machines'>>;

/** A stage, or its second turn in the same run, for a version in shadow. */
type Teller = StageName | 'Publish-shadow';

export async function recordFacts(ports: Ports, run: Run, stage: Teller, facts: StageFacts): Promise<void> {
  await writeFacts(ports, `${factsPrefix(run)}stages/${stage}.json`, facts);
}

/** The facts of one stage of a run, or undefined where it did not run. */
export async function factsOf(ports: Ports, run: Run, stage: Teller): Promise<StageFacts | undefined> {
  return readFacts(ports, `${factsPrefix(run)}stages/${stage}.json`);
}

/** Everything that the stages of a run have recorded so far, together. */
export async function collectFacts(ports: Ports, run: Run): Promise<StageFacts> {
  const collected: StageFacts = {};
  for await (const { key } of ports.reports.list(`${factsPrefix(run)}stages/`)) {
    Object.assign(collected, await readFacts(ports, key));
  }
  return collected;
}

export const factsPrefix = (run: Run) => `facts/${run.useCase}/${run.runId}/`;

async function writeFacts(ports: Ports, key: string, value: StageFacts): Promise<void> {
  await ports.reports.put(key, toJsonBytes(value));
}

async function readFacts(ports: Ports, key: string): Promise<StageFacts | undefined> {
  const bytes = await ports.reports.get(key);
  return bytes && fromJsonBytes<StageFacts>(bytes, `reports/${key}`);
}
