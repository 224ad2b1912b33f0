import { type OutcomeCode, isError } from './codes.ts';
import type { Decided } from './decider.ts';

/** Upper bounds in seconds: from a tenth of a millisecond to a second. */
export const durationBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const;

/** Ten bins of probabilities. */
export const probabilityBounds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;

/** What a server counts about its decisions: no key, no value of a claim. */
export class Measures {
  readonly #duration = new Histogram(durationBounds);
  readonly #probability = new Map<string, Histogram>();
  readonly #decisions = new Map<string, { code: OutcomeCode; tag: string; count: number }>();
  readonly #refusals = new Map<number, number>();

  /** Decisions that took so long together. */
  observe(decided: readonly Decided[], seconds: number): void {
    this.#duration.add(seconds / Math.max(1, decided.length), decided.length);
    for (const { code, tag, probability } of decided) {
      const key = `${code} ${tag}`;
      const counted = this.#decisions.get(key) ?? { code, tag: tag ?? 'none', count: 0 };
      counted.count += 1;
      this.#decisions.set(key, counted);
      if (probability !== null && tag !== null) this.#histogramOf(tag).add(probability, 1);
    }
  }

  /** A request that was answered by that HTTP status instead of decisions. */
  refuse(status: number): void {
    this.#refusals.set(status, (this.#refusals.get(status) ?? 0) + 1);
  }

  /** The text format of Prometheus, version 0.0.4. */
  text({ versions }: { versions: { [alias: string]: number | undefined } }): string {
    const counts = [...this.#decisions.values()];
    const errors = new Map<OutcomeCode, number>();
    for (const { code, count } of counts) if (isError(code)) errors.set(code, (errors.get(code) ?? 0) + count);
    return [
      ...family(
        'bordereau_inference_seconds',
        'histogram',
        'Time per decision, features and model.',
        this.#duration.samples('bordereau_inference_seconds'),
      ),
      ...family(
        'bordereau_probability',
        'histogram',
        'Calibrated probabilities.',
        [...this.#probability].flatMap(([tag, histogram]) =>
          histogram.samples('bordereau_probability', `tag="${tag}"`),
        ),
      ),
      ...family(
        'bordereau_decisions_total',
        'counter',
        'Decisions by how they came about and by whose model.',
        counts.map(({ code, tag, count }) => `bordereau_decisions_total{code="${code}",tag="${tag}"} ${count}`),
      ),
      ...family(
        'bordereau_errors_total',
        'counter',
        'Decisions left to a person because something failed.',
        [...errors].map(([code, count]) => `bordereau_errors_total{code="${code}"} ${count}`),
      ),
      ...family(
        'bordereau_refused_requests_total',
        'counter',
        'Requests without decisions.',
        [...this.#refusals].map(([status, count]) => `bordereau_refused_requests_total{status="${status}"} ${count}`),
      ),
      ...family(
        'bordereau_model_version',
        'gauge',
        'The version that an alias names.',
        Object.entries(versions).flatMap(([alias, version]) =>
          version === undefined ? [] : [`bordereau_model_version{alias="${alias}"} ${version}`],
        ),
      ),
      '',
    ].join('\n');
  }

  #histogramOf(tag: string): Histogram {
    const known = this.#probability.get(tag);
    if (known) return known;
    const made = new Histogram(probabilityBounds);
    this.#probability.set(tag, made);
    return made;
  }
}

class Histogram {
  readonly #bounds: readonly number[];
  /** How many fell into each bin; the last one is open. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(value: number, times: number): void {
    let bin = 0;
    while (bin < this.#bounds.length && value > this.#bounds[bin]) bin++;
    this.#counts[bin] += times;
    this.#sum += value * times;
  }

  samples(name: string, labels = ''): string[] {
    const all = labels === '' ? '' : `${labels},`;
    let below = 0;
    const buckets = [...this.#bounds.map(String), '+Inf'].map((bound, bin) => {
      below += this.#counts[bin];
      return `${name}_bucket{${all}le="${bound}"} ${below}`;
    });
    const own = labels === '' ? '' : `{${labels}}`;
    return [...buckets, `${name}_sum${own} ${this.#sum}`, `${name}_count${own} ${below}`];
  }
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}
