import type { MachineRun, StateRun } from '../facts.ts';
import { label } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, duration, fit, known, listed, percent } from '../format.ts';
import type { Headline, Status } from '../status.ts';
import { statusShape } from '../status.ts';
import { el } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { bar } from './marks.ts';

const statuses: Record<StateRun['status'], Status> = {
  succeeded: 'passed',
  failed: 'failed',
  caught: 'warned',
  running: 'notice',
  'not-run': 'skipped',
};

/** Which states of which machines ran, how each ended, and where the time went. */
export function runGraph(machines: readonly MachineRun[]): Figure {
  return {
    title: runHeadline(machines).sentence,
    description:
      'Each line is a state machine and each mark on it a state, in the order they ran. The mark tells how the state ended; the bar below it is as long as the state took.',
    span: 'full',
    draw: (frame) => (frame.name === 'wide' ? lines(machines, frame) : list(machines, frame)),
    table: {
      columns: [
        { label: 'Machine' },
        { label: 'State' },
        { label: 'Status' },
        { label: 'Time', numeric: true },
        { label: 'Attempts', numeric: true },
        { label: 'Items', numeric: true },
        { label: 'Error' },
      ],
      rows: machines.flatMap((machine) =>
        machine.states.map((state) => [
          machine.name,
          state.name,
          state.status,
          duration(state.tookSeconds ?? NaN),
          state.attempts === undefined ? '' : count(state.attempts),
          state.items === undefined ? '' : count(state.items),
          state.error ?? '',
        ]),
      ),
    },
  };
}

/** What the run came to, in one sentence. */
export function runHeadline(machines: readonly MachineRun[]): Headline {
  const states = machines.flatMap((machine) => machine.states.map((state) => ({ machine: machine.name, ...state })));
  const failed = states.find((state) => state.status === 'failed');
  if (failed) {
    const error = failed.error === undefined ? '' : ` with ${failed.error}`;
    return { status: 'failed', sentence: `${failed.name} (${failed.machine}) failed${error}` };
  }

  const caught = states.filter((state) => state.status === 'caught').map((state) => state.name);
  if (caught.length > 0) return { status: 'warned', sentence: `${listed(caught)} failed and the machine recovered` };
  // the state that writes this page is always still running while it does
  const running = states.filter((state) => state.status === 'running' && state.name !== 'Report');
  if (running.length > 0)
    return { status: 'notice', sentence: `${listed(running.map((state) => state.name))} still running` };

  const ended = states.filter((state) => state.status === 'succeeded');
  const seconds = ended.reduce((sum, state) => sum + took(state), 0);
  const slowest = ended.reduce((slow, state) => (took(state) > took(slow) ? state : slow), ended[0]);
  const share =
    seconds > 0 && ended.length > 1 ? `, ${percent(took(slowest) / seconds, 0)} of it in ${slowest.name}` : '';
  const all = `${counted(ended.length, 'state')} of ${counted(machines.length, 'machine')} succeeded`;
  return { status: 'passed', sentence: `${all} in ${duration(seconds)}${share}` };
}

/** Machines as lines from left to right. */
function lines(machines: readonly MachineRun[], frame: Frame): Drawing {
  const left = 150;
  const most = Math.max(1, ...machines.map((machine) => machine.states.length));
  const step = (frame.width - left) / most;
  const barLength = timeBar(machines, step - 24);
  const marks = machines.map((machine, m) => {
    const y = 26 + m * 82;
    const x = (i: number) => left + 10 + i * step;
    return [
      label(0, y + 1, fit(machine.name, left - 20, 14), { class: 'strong' }),
      label(0, y + 19, machineNote(machine, left - 20), { class: 'muted' }),
      machine.states.length > 1 && machine.states.slice(1).map((state, i) => track(x(i), y, x(i + 1), y, state)),
      machine.states.map((state, i) => [
        statusShape(statuses[state.status], x(i), y),
        label(x(i) - 9, y + 25, fit(state.name, step - 14)),
        label(x(i) - 9, y + 40, stateNote(state, step - 14), { class: 'muted' }),
        bar(x(i) - 9, y + 46, barLength(state), 3, 'fill quiet'),
      ]),
    ];
  });
  return { height: 26 + machines.length * 82 - 22, marks };
}

/** Machines below each other, for a phone. */
function list(machines: readonly MachineRun[], frame: Frame): Drawing {
  const barLength = timeBar(machines, 60);
  const marks: Markup[] = [];
  let y = 14;
  for (const machine of machines) {
    marks.push(label(0, y, fit(machine.name, 150, 14), { class: 'strong' }));
    marks.push(label(frame.width, y, machineNote(machine, 180), { anchor: 'end', class: 'muted' }));
    y += 26;
    for (const [i, state] of machine.states.entries()) {
      if (i > 0) marks.push(track(10, y - 26, 10, y, state));
      marks.push(
        bar(160, y - 2, barLength(state), 4, 'fill quiet'),
        label(28, y + 4, fit(state.name, 126)),
        label(frame.width, y + 4, stateNote(state, 118), { anchor: 'end', class: 'muted n' }),
      );
      y += 26;
    }
    machine.states.forEach((state, i) => {
      const at = y - 26 * (machine.states.length - i);
      marks.push(statusShape(statuses[state.status], 10, at));
    });
    y += 18;
  }
  return { height: y - 24, marks };
}

/** The way to a state; dashed where it was not taken. */
function track(x1: number, y1: number, x2: number, y2: number, to: StateRun): Markup {
  return el('line', { x1, y1, x2, y2, class: to.status === 'not-run' ? 'track dashed' : 'track' });
}

function timeBar(machines: readonly MachineRun[], longest: number): (state: StateRun) => number {
  const most = Math.max(...machines.flatMap((machine) => machine.states.map(took)), 0);
  return (state) => (most > 0 ? Math.max(1, (took(state) / most) * longest) : 1);
}

function took(state: StateRun): number {
  return known(state.tookSeconds) ? Math.max(0, state.tookSeconds) : 0;
}

function machineNote(machine: MachineRun, room: number): string {
  const seconds = machine.states.reduce((sum, state) => sum + took(state), 0);
  return fit(machine.startedBy === undefined ? duration(seconds) : `on ${machine.startedBy}`, room);
}

function stateNote(state: StateRun, room: number): string {
  const parts = [
    state.error !== undefined && state.error,
    state.tookSeconds !== undefined && duration(state.tookSeconds),
    state.items !== undefined && `× ${count(state.items)}`,
    (state.attempts ?? 1) > 1 && `${count(state.attempts!)} tries`,
    state.status === 'not-run' && 'not run',
  ];
  return fit(parts.filter((part) => part !== false).join(', '), room);
}
