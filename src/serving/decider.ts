import type { Arm } from '../governance/experiment.ts';
import type { DecisionBand } from '../ml/calibration/decision-band.ts';
import type { Online, RequestFault } from '../usecase/online.ts';
import type { OutcomeCode } from './codes.ts';
import type { OnlineModel } from './online-model.ts';

/** What the business calls its three actions, and from which probability on each is taken. */
export type Actions = DecisionBand & { negative: string; review: string; positive: string };

/** A version that answers. */
export type LiveModel = { version: number; model: OnlineModel };

/** Who answers at the moment, and for whom. */
export type Routing = {
  /** Undefined where no version is live. */
  control: LiveModel | undefined;
  challenger?: LiveModel;
  /** Scored as well, and used for nothing. */
  shadow?: LiveModel;
  /** By the entity's key, the same for the same key. */
  armOf: (key: string) => Arm;
  /** Nobody is scored; people decide. */
  isOff?: boolean;
};

export type Decided = {
  key: string;
  action: string;
  code: OutcomeCode;
  probability: number | null;
  /** `control:7`: whose decision it is; null where no model was asked. */
  tag: `${Arm}:${number}` | null;
  faults: readonly RequestFault[];
  shadow: { version: number; probability: number } | null;
};

/**
 * Decides requests of one use case. A request that fails, in whatever way, is decided by a person and does not touch the others
 * of its batch.
 */
export class Decider {
  readonly #online: Online;
  readonly #actions: Actions;

  constructor(online: Online, actions: Actions) {
    this.#online = online;
    this.#actions = actions;
  }

  /** One decision for each request, in their order. `nowMs` is when they came. */
  decide(requests: readonly unknown[], routing: Routing, nowMs: number): Decided[] {
    const width = this.#online.featureNames.length;
    const features = new Float64Array(requests.length * width);
    const decided: Decided[] = [];
    const rows: { [arm in Arm]: number[] } = { control: [], challenger: [] };
    for (let row = 0; row < requests.length; row++) {
      const { key, code, faults } = this.#read(requests[row], features, row * width, nowMs);
      const failed =
        code ?? (routing.isOff ? 'ML_SKIPPED' : routing.control ? undefined : 'ML_ERROR_PREDICTOR_UNAVAILABLE');
      decided.push(this.#reviewed(key, failed ?? 'ML_ERROR', faults));
      if (failed === undefined) rows[routing.challenger ? routing.armOf(key) : 'control'].push(row);
    }
    for (const arm of ['control', 'challenger'] as const) {
      if (rows[arm].length > 0) this.#score(decided, features, rows[arm], arm, routing[arm]!);
    }
    if (routing.shadow) this.#shadow(decided, features, [...rows.control, ...rows.challenger], routing.shadow);
    return decided;
  }

  #read(
    request: unknown,
    features: Float64Array,
    at: number,
    nowMs: number,
  ): { key: string; code?: OutcomeCode; faults: readonly RequestFault[] } {
    try {
      const { key, faults } = this.#online.read(request, features, at, nowMs);
      return faults.length === 0 ? { key, faults } : { key, code: 'ML_ERROR_FEATURE_FORMAT', faults };
    } catch {
      return { key: '', code: 'ML_ERROR', faults: [] };
    }
  }

  #score(decided: Decided[], features: Float64Array, rows: readonly number[], arm: Arm, live: LiveModel): void {
    const tag = `${arm}:${live.version}` as const;
    const answers = this.#ask(live.model, features, rows);
    for (const [i, row] of rows.entries()) {
      const answer = answers[i];
      const { key, faults } = decided[row];
      decided[row] =
        typeof answer === 'number'
          ? { key, ...this.#actionFor(answer), probability: answer, tag, faults, shadow: null }
          : { ...this.#reviewed(key, answer, faults), tag };
    }
  }

  #shadow(decided: Decided[], features: Float64Array, rows: readonly number[], { version, model }: LiveModel): void {
    for (const [i, probability] of this.#ask(model, features, rows).entries()) {
      if (typeof probability === 'number') decided[rows[i]].shadow = { version, probability };
    }
  }

  /** The probability of each row, or what kept it from having one. */
  #ask(model: OnlineModel, features: Float64Array, rows: readonly number[]): (number | OutcomeCode)[] {
    const { featureNames } = this.#online;
    const fits =
      model.featureNames.length === featureNames.length &&
      featureNames.every((name, i) => name === model.featureNames[i]);
    if (!fits) return rows.map(() => 'ML_ERROR_FEATURE_SHAPE');
    try {
      return probabilities(model.score(rowsOf(features, rows, featureNames.length), rows.length), rows.length);
    } catch {
      if (rows.length === 1) return ['ML_ERROR_INFERENCE_EXCEPTION'];
      // one of them does it; the others are not to suffer
      return rows.flatMap((row) => this.#ask(model, features, [row]));
    }
  }

  #actionFor(probability: number): Pick<Decided, 'action' | 'code'> {
    const { negative, review, positive, reviewFrom, positiveFrom } = this.#actions;
    if (probability >= positiveFrom) return { action: positive, code: 'ML_APPROVED' };
    if (probability < reviewFrom) return { action: negative, code: 'ML_REJECTED' };
    return { action: review, code: 'ML_MANUAL_REVIEW' };
  }

  #reviewed(key: string, code: OutcomeCode, faults: readonly RequestFault[]): Decided {
    return { key, action: this.#actions.review, code, probability: null, tag: null, faults, shadow: null };
  }
}

function rowsOf(features: Float64Array, rows: readonly number[], width: number): Float64Array {
  if (rows.length * width === features.length) return features;
  const taken = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) taken.set(features.subarray(row * width, (row + 1) * width), i * width);
  return taken;
}

/** One output is the probability; of two the second is. */
function probabilities(scores: Float64Array, rows: number): (number | OutcomeCode)[] {
  const outputs = scores.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const probability = scores[row * outputs + outputs - 1];
    const isOne = (outputs === 1 || outputs === 2) && probability >= 0 && probability <= 1;
    return isOne ? probability : 'ML_ERROR_UNEXPECTED_FORMAT';
  });
}
