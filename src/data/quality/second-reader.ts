import { Worker } from 'node:worker_threads';
import type { Place, SegmentOptions } from '../csv-segments.ts';
import type { ColumnToRead } from './readers.ts';
import type { SegmentFile } from './segment-files.ts';

/** What the other thread is started with: an open file, its header, and which columns are to be read how. */
export type SecondReading = {
  file: number;
  header: string[];
  columns: readonly ColumnToRead[];
  options: SegmentOptions;
};

/** Read the segment that seems to begin there, or write the one that was read: it begins on this line. */
export type Request = { guess: number } | { write: string; line: number };
/** Lines count from 1 where it begins. */
export type Found = { from: number; next: Place | undefined };

/** A segment that the other thread has read; undefined where it could not be written after all. */
export type TakenSegment = { next: Place | undefined; written: Promise<SegmentFile | undefined> };

/** Another thread that reads segments of a file ahead. One that fails is asked no more. */
export class SecondReader {
  readonly #worker: Worker;
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #hasFailed = false;
  #found: Promise<unknown> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer) => this.#waiting.shift()?.(answer));
    worker.on('error', () => this.#fail());
    worker.on('exit', () => this.#fail());
  }

  /** Undefined where no thread can be started. */
  static start(reading: SecondReading): SecondReader | undefined {
    // in a bundle the thread's code lies beside it
    const code = import.meta.url.endsWith('.ts') ? './segment-thread.ts' : './segment-thread.mjs';
    try {
      const options = { workerData: reading, execArgv: [], env: {} };
      return new SecondReader(new Worker(new URL(code, import.meta.url), options));
    } catch {
      return undefined; // threads are not allowed, or there are no more to be had
    }
  }

  /** Begins to read the segment that seems to begin at a byte of the file or behind it; what was read before is forgotten if nobody took it. */
  guess(byteOffset: number): void {
    this.#found = this.#ask({ guess: byteOffset });
  }

  /** The segment that begins at a place, to be written to a file, if it is the one that was guessed. */
  async take(place: Place, path: string): Promise<TakenSegment | undefined> {
    const found = (await this.#found) as Found | undefined;
    if (found?.from !== place.byteOffset) return undefined;
    const written = this.#ask({ write: path, line: place.line }) as Promise<SegmentFile | undefined>;
    const { next } = found;
    return { next: next && { ...next, line: place.line + next.line - 1 }, written };
  }

  /** Resolves when the thread touches the file no more. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Answers come in the order of the requests; undefined for what the thread could not do. */
  #ask(request: Request): Promise<unknown> {
    if (this.#hasFailed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(request);
    });
  }

  #fail(): void {
    this.#hasFailed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
