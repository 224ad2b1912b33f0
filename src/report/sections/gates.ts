import type { Gate, RunFacts } from '../facts.ts';
import { count, listed } from '../format.ts';
import { lead } from '../section.ts';
import type { Section } from '../section.ts';
import { statusMark } from '../status.ts';
import type { Headline } from '../status.ts';
import { el, fragment } from '../svg.ts';
import { table } from '../table.ts';

/** What was asked of the model, what was found, and whether that was enough. */
export function gates({ gates: checks }: RunFacts): Section | undefined {
  if (!checks || checks.length === 0) return undefined;
  const headline = gatesHeadline(checks);
  const content = {
    columns: [{ label: 'Gate' }, { label: 'Asked for' }, { label: 'Found' }],
    rows: checks.map((gate) => [
      el('span', { class: 'outcome' }, statusMark(gate.passed ? 'passed' : 'failed'), el('strong', {}, gate.name)),
      gate.requirement,
      fragment(
        gate.evidence,
        gate.constantPasses === true &&
          el(
            'span',
            { class: 'aside' },
            'A constant prediction passes this gate as well: on its own it proves nothing.',
          ),
      ),
    ]),
  };
  return {
    id: 'gates',
    name: 'Gates',
    headline,
    body: [lead(headline.sentence), table(content, 'Gates with evidence', { stacked: true })],
  };
}

/** How many gates passed, and which did not, in one sentence. */
export function gatesHeadline(checks: readonly Gate[]): Headline {
  const failed = checks.filter((gate) => !gate.passed).map((gate) => gate.name);
  if (failed.length > 0)
    return {
      status: 'failed',
      sentence: `${count(failed.length)} of ${count(checks.length)} gates refused: ${listed(failed)}`,
    };
  return {
    status: 'passed',
    sentence: checks.length === 1 ? 'The gate passed' : `All ${count(checks.length)} gates passed`,
  };
}
