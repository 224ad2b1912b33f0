import type { Progress } from '../runtime/progress.ts';
import type { Output } from './output.ts';

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export type ProgressView = {
  /** `about` stands before the line, where machines of several use cases run at once. */
  show: (progress: Progress, about?: string) => void;
  headline: (text: string, about?: string) => void;
  close: () => void;
};

type Running = { machine: string; state: string; sinceMs: number; ended: number; total: number };

/**
 * On a terminal: a line that lives while its state runs, with items done, rate and time left, then stays with what it took.
 * Elsewhere: one line per state, when it has ended.
 */
export function progressView(output: Output): ProgressView {
  const { style } = output;
  const running = new Map<string, Running>();
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  const redraw = () => {
    if (running.size === 0) return;
    const [[about, only]] = running;
    const text =
      running.size === 1
        ? `${labelled(about)}${longText(only)}`
        : [...running]
            .map(([of, state]) => `${of.trim()}: ${shortText(state)}`)
            .join(' · ')
            .slice(0, output.width - 3);
    process.stderr.write(`\r\u001B[2K${style('cyan', spinner[frame++ % spinner.length])} ${text}`);
  };
  const clear = () => {
    if (output.live) process.stderr.write('\r\u001B[2K');
  };
  const labelled = (about: string) => (about === '' ? '' : style('dim', `${about}  `));

  return {
    show(progress, about = '') {
      const line = (text: string) => {
        clear();
        output.note(`${labelled(about)}${text}`);
      };
      const current = running.get(about);
      switch (progress.kind) {
        case 'event':
          line(
            `${style('dim', `· ${progress.detailType}`)}${progress.starts.length ? style('dim', ` starts ${progress.starts.join(', ')}`) : ''}`,
          );
          break;
        case 'undelivered':
          line(
            `${progress.detailType} was put aside after ${progress.tries} times; \`bordereau replay\` tries it again`,
          );
          break;
        case 'schedule':
          line(
            style('dim', `· ${progress.name} is due, ${new Date(progress.scheduledMs).toISOString().slice(0, 16)}Z`),
          );
          break;
        case 'state-entered': {
          const { machine, state } = progress;
          running.set(about, { machine, state, sinceMs: performance.now(), ended: 0, total: 0 });
          if (output.live) timer ??= setInterval(redraw, 80).unref();
          break;
        }
        case 'item-ended':
          if (current) running.set(about, { ...current, ended: progress.ended, total: progress.total });
          break;
        case 'state-exited': {
          const items =
            current?.state === progress.state && current.total > 0
              ? `  ${current.total} ${current.total === 1 ? 'item' : 'items'}`
              : '';
          running.delete(about);
          line(
            `${style('green', '✓')} ${progress.machine.padEnd(8)} ${progress.state.padEnd(20)} ${seconds(progress.milliseconds)}${items}`,
          );
          break;
        }
        case 'machine-ended':
          running.delete(about);
          if (progress.status !== 'SUCCEEDED')
            line(
              `${style('red', '✗')} ${progress.machine.padEnd(8)} ${progress.status.toLowerCase()}${progress.error ? `: ${progress.error}` : ''}`,
            );
          break;
      }
    },
    headline(text, about = '') {
      clear();
      if (about === '') output.note('');
      output.note(`${labelled(about)}${style('bold', text)}`);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}

function longText(running: Running): string {
  const elapsedSeconds = (performance.now() - running.sinceMs) / 1000;
  return `${running.machine.padEnd(8)} ${running.state.padEnd(20)} ${seconds(elapsedSeconds * 1000)}${itemsText(running, elapsedSeconds)}`;
}

function shortText({ state, sinceMs, ended, total }: Running): string {
  return `${state} ${total > 0 ? `${ended} of ${total}` : seconds(performance.now() - sinceMs).trim()}`;
}

function itemsText({ ended, total }: { ended: number; total: number }, elapsedSeconds: number): string {
  if (total === 0) return '';
  const left = ended > 0 ? ` · ${seconds(((total - ended) * elapsedSeconds * 1000) / ended).trim()} left` : '';
  return `  ${ended} of ${total} · ${(ended / elapsedSeconds).toFixed(1)}/s${left}`;
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
