import { runGraph, runHeadline } from '../charts/run-graph.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';

/** Which states of which machines ran. */
export function runStates({ machines }: RunFacts): Section | undefined {
  if (!machines?.some((machine) => machine.states.length > 0)) return undefined;
  return {
    id: 'run',
    name: 'Run',
    headline: runHeadline(machines),
    body: renderFigure(runGraph(machines), 'run-graph'),
  };
}
