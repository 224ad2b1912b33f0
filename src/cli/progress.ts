import type { Progress } from '../runtime/progress.ts';
import type { Output } from './output.ts';

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export type ProgressView = { show: (progress: Progress) => void; close: () => void };

/**
 * On a terminal: a line that lives while its state runs, with items done, rate and time left, then stays with what it took.
 * Elsewhere: one line per state, when it has ended.
 */
export function progressView(output: Output): ProgressView {
  const { style } = output;
  let current: { machine: string; state: string; sinceMs: number; ended: number; total: number } | undefined;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  const redraw = () => {
    if (!current) return;
    const elapsed = (performance.now() - current.sinceMs) / 1000;
    const line = `${style('cyan', spinner[frame++ % spinner.length])} ${current.machine.padEnd(8)} ${current.state.padEnd(20)} ${seconds(elapsed * 1000)}${itemsText(current, elapsed)}`;
    process.stderr.write(`\r\u001B[2K${line}`);
  };
  const clear = () => {
    if (output.live) process.stderr.write('\r\u001B[2K');
  };
  const line = (text: string) => {
    clear();
    output.note(text);
  };

  return {
    show(progress) {
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
        case 'state-entered':
          current = {
            machine: progress.machine,
            state: progress.state,
            sinceMs: performance.now(),
            ended: 0,
            total: 0,
          };
          if (output.live) timer ??= setInterval(redraw, 80).unref();
          break;
        case 'item-ended':
          if (current) current = { ...current, ended: progress.ended, total: progress.total };
          break;
        case 'state-exited': {
          const items = current?.state === progress.state && current.total > 0 ? `  ${current.total} items` : '';
          current = undefined;
          line(
            `${style('green', '✓')} ${progress.machine.padEnd(8)} ${progress.state.padEnd(20)} ${seconds(progress.milliseconds)}${items}`,
          );
          break;
        }
        case 'machine-ended':
          current = undefined;
          if (progress.status !== 'SUCCEEDED')
            line(
              `${style('red', '✗')} ${progress.machine.padEnd(8)} ${progress.status.toLowerCase()}${progress.error ? `: ${progress.error}` : ''}`,
            );
          break;
      }
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}

function itemsText({ ended, total }: { ended: number; total: number }, elapsedSeconds: number): string {
  if (total === 0) return '';
  const left = ended > 0 ? ` · ${seconds(((total - ended) * elapsedSeconds * 1000) / ended).trim()} left` : '';
  return `  ${ended} of ${total} · ${(ended / elapsedSeconds).toFixed(1)}/s${left}`;
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
