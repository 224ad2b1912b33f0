import { releaseLease } from '../governance/lease.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { MachineRun, RunFacts } from '../report/facts.ts';
import { type RunEntry, indexEntry, renderIndex } from '../report/index-page.ts';
import { renderPage } from '../report/page.ts';
import { machineNames } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { collectFacts, factsPrefix } from './common/facts.ts';
import { fromJsonBytes, toJsonBytes, toTextBytes } from './common/json.ts';
import { retrainLease } from './common/retrain-lease.ts';
import { startedMs, stateRuns } from './common/run-graph.ts';
import type { Stage } from './stage.ts';

/**
 * Ends every machine: the run's page from everything that its stages have recorded so far, written again as the run goes on
 * and final with its last machine, and the use case's index of runs.
 */
export const report: Stage<'Report'> = async ({ useCase, runId, machine, execution }, ports) => {
  const run = { useCase, runId };
  // training has ended, however it ended: the next one may begin
  if (machine === 'train') await releaseLease(retrainLease(ports, useCase), runId);

  await ports.reports.put(`${factsPrefix(run)}executions/${machine}.json`, toJsonBytes({ execution }));
  const { machines, beganMs } = await runGraph(ports, run);
  const facts: RunFacts = {
    run: {
      id: runId,
      useCase,
      question: useCaseOf(ports.catalogue, useCase).declaration.question,
      startedAt: new Date(beganMs).toISOString(),
      tookSeconds: (ports.clock.nowMs() - beganMs) / 1000,
    },
    machines,
    ...(await collectFacts(ports, run)),
  };
  const page = `${runId}.html`;
  const key = `pages/${useCase}/${page}`;
  await ports.reports.put(key, toTextBytes(renderPage(facts)));
  await ports.reports.put(`${factsPrefix(run)}entry.json`, toJsonBytes(indexEntry(facts, page)));
  await ports.reports.put(`pages/${useCase}/index.html`, toTextBytes(renderIndex(await entriesOf(ports, useCase))));
  return { useCase, runId, key };
};

/** One entry per run that has a page; each is a small document, so that the index costs no page. */
async function entriesOf(ports: Ports, useCase: string): Promise<RunEntry[]> {
  const entries: RunEntry[] = [];
  for await (const { key } of ports.reports.list(`facts/${useCase}/`)) {
    const bytes = key.endsWith('/entry.json') ? await ports.reports.get(key) : undefined;
    if (bytes) entries.push(fromJsonBytes<RunEntry>(bytes, `reports/${key}`));
  }
  return entries;
}

/** The machines of the run in their order, and when the first of them began. */
async function runGraph(
  ports: Ports,
  run: { useCase: string; runId: string },
): Promise<{ machines: MachineRun[]; beganMs: number }> {
  const machines: (MachineRun & { beganMs: number })[] = [];
  for (const name of machineNames) {
    const bytes = await ports.reports.get(`${factsPrefix(run)}executions/${name}.json`);
    const history = bytes && (await ports.executions.history(fromJsonBytes<{ execution: string }>(bytes).execution));
    if (history && history.length > 0) machines.push({ name, states: stateRuns(history), beganMs: startedMs(history) });
  }
  const beganMs = Math.min(ports.clock.nowMs(), ...machines.map((machine) => machine.beganMs));
  const inOrder = machines.sort((a, b) => a.beganMs - b.beganMs);
  return { machines: inOrder.map(({ name, states }) => ({ name, states })), beganMs };
}
