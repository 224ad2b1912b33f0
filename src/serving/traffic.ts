import {
  type Arm,
  type Experiment,
  type Tally,
  armOf,
  brokenGuard,
  noTally,
  percentAt,
} from '../governance/experiment.ts';
import { isError } from './codes.ts';
import type { Decided, Routing } from './decider.ts';
import type { Live } from './live-versions.ts';

/**
 * Who answers, from what is live; and how the two arms of an experiment do. Once a guard breaks, control answers everything: at
 * once here, and everywhere when the ledger says so.
 */
export class Traffic {
  readonly #positive: string;
  #experiment: Experiment | null = null;
  #tallies: { [arm in Arm]: Tally } = { control: noTally, challenger: noTally };
  #broken: string | null = null;

  /** @param positive what the business calls the positive action */
  constructor(positive: string) {
    this.#positive = positive;
  }

  routing(live: Live, nowMs: number): Routing {
    const { control, challenger, shadow, experiment } = live;
    if (
      experiment?.startedAtMs !== this.#experiment?.startedAtMs ||
      experiment?.challenger !== this.#experiment?.challenger
    ) {
      this.#experiment = experiment;
      this.#tallies = { control: noTally, challenger: noTally };
      this.#broken = null;
    }
    const split = experiment && challenger && this.#broken === null;
    const percent = split ? percentAt(experiment, nowMs) : 0;
    return {
      control,
      ...(split && { challenger }),
      ...(shadow && { shadow }),
      armOf: (key) => armOf(key, experiment?.plan.salt ?? '', percent),
    };
  }

  /** Counts decisions; says why a guard breaks, when it does. `milliseconds` is what one of them took. */
  count(decided: readonly Decided[], milliseconds: number): string | null {
    const experiment = this.#experiment;
    if (!experiment || this.#broken !== null) return null;
    const isSlow = Number(milliseconds > experiment.plan.guards.slow.milliseconds);
    for (const { tag, code, action } of decided) {
      if (tag === null) continue;
      const arm = tag.startsWith('challenger') ? 'challenger' : 'control';
      const { decisions, errors, slow, positive } = this.#tallies[arm];
      this.#tallies[arm] = {
        decisions: decisions + 1,
        errors: errors + Number(isError(code)),
        slow: slow + isSlow,
        positive: positive + Number(action === this.#positive),
      };
    }
    this.#broken = brokenGuard(experiment.plan, this.#tallies.control, this.#tallies.challenger);
    return this.#broken;
  }
}
