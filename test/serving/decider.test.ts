import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitDesign } from '../../src/ml/encoders/design.ts';
import { outcomeCodes } from '../../src/serving/codes.ts';
import { Decider, type Routing } from '../../src/serving/decider.ts';
import { type OnlineModel, onlineModelOf, tfliteOnline } from '../../src/serving/online-model.ts';
import { predictRows } from '../../src/stages/common/learning.ts';
import { online } from '../../usecases/claim-decision/online.ts';
import { answering, approved, boosted, columns, forest, names, network, nowMs, requests, rowMajor } from './models.ts';

const actions = {
  negative: 'reject',
  review: 'manual_review',
  positive: 'approve',
  reviewFrom: 0.25,
  positiveFrom: 0.8,
};
const decider = new Decider(online, actions);
const controlled = (model: OnlineModel, more: Partial<Routing> = {}): Routing => ({
  control: { version: 7, model },
  armOf: () => 'control',
  ...more,
});
const constant = (probability: number) => answering((_, rows) => new Float64Array(rows).fill(probability));
const decideOne = (request: unknown, routing: Routing) => decider.decide([request], routing, nowMs)[0];

describe('a probability becomes an action', () => {
  test.each([
    [1, 'approve', 'ML_APPROVED'],
    [0.8, 'approve', 'ML_APPROVED'],
    [0.7999999, 'manual_review', 'ML_MANUAL_REVIEW'],
    [0.25, 'manual_review', 'ML_MANUAL_REVIEW'],
    [0.2499999, 'reject', 'ML_REJECTED'],
    [0, 'reject', 'ML_REJECTED'],
  ])('%d → %s, %s', (probability, action, code) => {
    expect(decideOne(requests[0], controlled(constant(probability)))).toEqual({
      key: requests[0].claim_id,
      action,
      code,
      probability,
      tag: 'control:7',
      faults: [],
      shadow: null,
    });
  });

  test('of two outputs the second is the approval', () => {
    const soft = answering(() => Float64Array.of(0.1, 0.9));
    expect(decideOne(requests[0], controlled(soft))).toMatchObject({ probability: 0.9, code: 'ML_APPROVED' });
  });
});

describe('whatever goes wrong, a person decides, and the code says what it was', () => {
  const failing = answering(() => {
    throw new Error('the engine broke');
  });
  test.each<[string, Routing, unknown]>([
    ['ML_ERROR_FEATURE_FORMAT', controlled(constant(0.9)), { claim_id: 'c' }],
    ['ML_ERROR_FEATURE_SHAPE', controlled(answering(() => Float64Array.of(0.9), names.slice(1))), requests[0]],
    ['ML_ERROR_FEATURE_SHAPE', controlled(answering(() => Float64Array.of(0.9), names.toReversed())), requests[0]],
    ['ML_ERROR_INFERENCE_EXCEPTION', controlled(failing), requests[0]],
    ['ML_ERROR_PREDICTOR_UNAVAILABLE', { control: undefined, armOf: () => 'control' }, requests[0]],
    ['ML_ERROR_UNEXPECTED_FORMAT', controlled(constant(NaN)), requests[0]],
    ['ML_ERROR_UNEXPECTED_FORMAT', controlled(constant(1.01)), requests[0]],
    ['ML_ERROR_UNEXPECTED_FORMAT', controlled(answering(() => Float64Array.of(0.1, 0.2, 0.7))), requests[0]],
    ['ML_ERROR_UNEXPECTED_FORMAT', controlled(answering(() => new Float64Array())), requests[0]],
    ['ML_SKIPPED', controlled(constant(0.9), { isOff: true }), requests[0]],
  ])('%s', (code, routing, request) => {
    expect(decideOne(request, routing)).toMatchObject({ code, action: 'manual_review', probability: null });
  });

  test('ML_ERROR: what nobody foresaw', () => {
    const reading = { ...online, read: () => { throw new TypeError('a slip'); } }; // prettier-ignore
    const [decided] = new Decider(reading, actions).decide(requests.slice(0, 1), controlled(constant(0.9)), nowMs);
    expect(decided).toMatchObject({ code: 'ML_ERROR', action: 'manual_review', key: '' });
  });

  test('any JSON at all gets a decision', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (batch) => {
        const decided = decider.decide(batch, controlled(constant(0.9)), nowMs);
        expect(decided.map(({ action }) => action)).toEqual(batch.map(() => 'manual_review'));
        for (const { code } of decided) expect(outcomeCodes).toContain(code);
      }),
      { numRuns: 200 },
    );
  });

  test('one claim that breaks the model leaves the others of its batch alone', () => {
    const poisoned = Float64Array.from(rowMajor.subarray(3 * names.length, 4 * names.length));
    const model = answering((features, rows) => {
      for (let row = 0; row < rows; row++) {
        if (poisoned.every((value, c) => features[row * names.length + c] === value)) throw new RangeError('bad row');
      }
      return new Float64Array(rows).fill(0.9);
    });
    const batch = [...requests.slice(0, 3), { claim_id: 'broken' }, ...requests.slice(3, 6)];
    const codes = decider.decide(batch, controlled(model), nowMs).map(({ code }) => code);
    const fine = 'ML_APPROVED';
    expect(codes).toEqual([fine, fine, fine, 'ML_ERROR_FEATURE_FORMAT', 'ML_ERROR_INFERENCE_EXCEPTION', fine, fine]);
  });
});

describe('who answers', () => {
  test('the challenger has its keys, control the others; the tag says so', () => {
    const isTheirs = (key: string) => Number(key.slice(-1)) < 3;
    const routing = controlled(constant(0.9), {
      challenger: { version: 8, model: constant(0.1) },
      armOf: (key) => (isTheirs(key) ? 'challenger' : 'control'),
    });
    for (const { key, tag, code } of decider.decide(requests, routing, nowMs)) {
      expect([tag, code]).toEqual(isTheirs(key) ? ['challenger:8', 'ML_REJECTED'] : ['control:7', 'ML_APPROVED']);
    }
  });

  test('a challenger that fails costs a review, and is no reason to ask control', () => {
    const routing = controlled(constant(0.9), {
      challenger: { version: 8, model: constant(NaN) },
      armOf: () => 'challenger',
    });
    expect(decideOne(requests[0], routing)).toMatchObject({ code: 'ML_ERROR_UNEXPECTED_FORMAT', tag: 'challenger:8' });
  });

  test('a shadow’s score is kept and changes nothing, not even when it fails', () => {
    const without = decider.decide(requests.slice(0, 50), controlled(constant(0.9)), nowMs);
    const shadow = { version: 9, model: constant(0.2) };
    const withShadow = decider.decide(requests.slice(0, 50), controlled(constant(0.9), { shadow }), nowMs);
    expect(withShadow.map((decided) => ({ ...decided, shadow: null }))).toEqual(without);
    expect(withShadow.every((decided) => decided.shadow?.probability === 0.2 && decided.shadow.version === 9)).toBe(
      true,
    );
    const broken = controlled(constant(0.9), { shadow: { version: 9, model: constant(NaN) } });
    expect(decider.decide(requests.slice(0, 50), broken, nowMs)).toEqual(without);
  });
});

describe('a model online is the model of the batch, to the last bit', () => {
  test.each([
    ['boosting', boosted()],
    ['a forest', forest()],
    ['boosting without a calibrator', { design: boosted().design, model: boosted().model }],
  ])('%s, one by one and many at once', (_, learnt) => {
    const model = onlineModelOf(learnt, names);
    const expected = predictRows(learnt, columns);
    for (const rows of [1, 2, 63, 64, 65, 300, requests.length]) {
      expect(model.score(rowMajor.subarray(0, rows * names.length), rows)).toEqual(expected.subarray(0, rows));
    }
    const single = requests.map((__, row) => model.score(rowMajor.subarray(row * 7, row * 7 + 7), 1)[0]);
    expect(Float64Array.from(single)).toEqual(expected);
  });

  test('a model with encoders of its own goes the general way, and gives the same', () => {
    const scaled = fitDesign(
      columns,
      names.map((column) => ({ column, as: 'number', scale: 'standard' })),
    );
    const learnt = { ...boosted(), design: scaled };
    expect(onlineModelOf(learnt, names).score(rowMajor, requests.length)).toEqual(predictRows(learnt, columns));
  });

  test('a model that needs a part of the features, in an order of its own, finds them; one that needs others is refused', () => {
    const { design, model } = boosted();
    const turned = { ...design, names: design.names.toReversed(), features: design.features.toReversed() };
    const learnt = { design: turned, model };
    expect(onlineModelOf(learnt, names).score(rowMajor, requests.length)).toEqual(predictRows(learnt, columns));
    const without = onlineModelOf({ design, model }, names.slice(1));
    const fewer = { ...online, featureNames: names.slice(1) };
    const [refused] = new Decider(fewer, actions).decide(requests.slice(0, 1), controlled(without), nowMs);
    expect(refused).toMatchObject({ code: 'ML_ERROR_FEATURE_SHAPE', action: 'manual_review' });
  });

  test.each(['float32', 'int8'])('a network in a .tflite file of %s, one by one and many at once', (precision) => {
    const { file, expected } = network(precision === 'int8');
    const model = tfliteOnline(file, names);
    expect(model.score(rowMajor, requests.length)).toEqual(expected);
    const single = requests.map((_, row) => model.score(rowMajor.subarray(row * 7, row * 7 + 7), 1)[0]);
    expect(Float64Array.from(single)).toEqual(expected);
    expect(decideOne(requests[0], controlled(model)).probability).toBe(expected[0]);
  });

  test('the probabilities are worth something', () => {
    const decided = decider.decide(requests, controlled(onlineModelOf(boosted(), names)), nowMs);
    const share = (code: string) => {
      const rows = decided.flatMap((one, row) => (one.code === code ? [row] : []));
      return rows.reduce((sum, row) => sum + approved[row], 0) / rows.length;
    };
    expect(share('ML_APPROVED')).toBeGreaterThan(0.85);
    expect(share('ML_REJECTED')).toBeLessThan(0.35);
  });
});
