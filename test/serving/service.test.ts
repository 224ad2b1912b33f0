import { describe, expect, test } from 'vitest';
import type { LogFields } from '../../src/ports/telemetry.ts';
import { Decider } from '../../src/serving/decider.ts';
import { type Live, nothingLive } from '../../src/serving/live-versions.ts';
import { Measures } from '../../src/serving/measures.ts';
import { onlineModelOf } from '../../src/serving/online-model.ts';
import { Service, type ServiceParts, mostBodyBytes, mostRequests } from '../../src/serving/service.ts';
import { Traffic } from '../../src/serving/traffic.ts';
import { usualPlan } from './plan.ts';
import { online } from '../../usecases/claim-decision/online.ts';
import { answering, boosted, names, nowMs, requests } from './models.ts';

const actions = {
  negative: 'reject',
  review: 'manual_review',
  positive: 'approve',
  reviewFrom: 0.25,
  positiveFrom: 0.8,
};
const model = onlineModelOf(boosted(), names);

function open(parts: Partial<ServiceParts> = {}, live: Partial<Live> = { control: { version: 4, model } }) {
  const logged: { message: string; fields?: LogFields }[] = [];
  let monotonicMs = 0;
  const service = new Service({
    useCase: 'claim-decision',
    decider: new Decider(online, actions),
    traffic: new Traffic('approve'),
    measures: new Measures(),
    telemetry: {
      info: (message, fields) => void logged.push({ message, ...(fields && { fields }) }),
      warn: (message, fields) => void logged.push({ message, ...(fields && { fields }) }),
      measure: () => undefined,
    },
    nowMs: () => nowMs,
    // each look at the clock is .3 ms later
    monotonicMs: () => (monotonicMs += 0.3),
    ...parts,
  });
  service.use({ ...nothingLive, ...live });
  const call = (method: string, path: string, body: string | Uint8Array = '', contentType = 'application/json') => {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    return service.handle({ method, path, contentType, body: bytes });
  };
  return { service, call, logged, post: (value: unknown) => call('POST', '/decide', JSON.stringify(value)) };
}

describe('/decide', () => {
  test('answers one claim by one decision and a list by a list, in its order', () => {
    const { post } = open();
    const one = post(requests[0]);
    expect(one).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    const many = JSON.parse(post(requests.slice(0, 300)).body) as { decisions: { key: string }[] };
    expect(JSON.parse(one.body)).toEqual(many.decisions[0]);
    expect(many.decisions.map(({ key }) => key)).toEqual(requests.slice(0, 300).map((request) => request.claim_id));
    expect(Object.keys(many.decisions[0])).toEqual(['key', 'decision', 'code', 'probability', 'model', 'faults']);
  });

  test('a claim that breaks a rule is answered too, by the rule and its place', () => {
    const { post } = open();
    const { status, body } = post({ ...requests[0], total_charges: 1 });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      key: requests[0].claim_id,
      decision: 'manual_review',
      code: 'ML_ERROR_FEATURE_FORMAT',
      probability: null,
      model: null,
      faults: [{ rule: 'lines_not_total', field: 'total_charges' }],
    });
  });

  test.each([
    ['POST', '/decide', 400, '{"claim_id": 1,}'],
    ['POST', '/decide', 400, '"text"'],
    ['POST', '/decide', 400, 'null'],
    ['POST', '/decide', 400, ''],
    ['GET', '/decide', 405, ''],
    ['POST', '/metrics', 405, ''],
    ['GET', '/elsewhere', 404, ''],
    ['GET', '/constructor', 404, ''],
  ])('%s %s → %i', (method, path, status, body) => {
    const answer = open().call(method, path, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) });
    expect('allow' in answer.headers).toBe(status === 405);
  });

  test('broken UTF-8, other types and bodies that are too large are refused', () => {
    const { call, post } = open();
    expect(call('POST', '/decide', Uint8Array.of(0x7b, 0xff, 0x7d)).status).toBe(400);
    expect(call('POST', '/decide', '{}', 'text/plain').status).toBe(415);
    expect(call('POST', '/decide', '{}', 'application/json; charset=utf-8').status).toBe(200);
    expect(call('POST', '/decide', new Uint8Array(mostBodyBytes + 1)).status).toBe(413);
    expect(post(Array.from({ length: mostRequests + 1 }, () => 0)).status).toBe(413);
  });
});

describe('/ready and /health', () => {
  test('alive from the first moment, ready when a version is live', () => {
    const { service, call } = open({}, {});
    expect([call('GET', '/health').status, call('GET', '/ready').status]).toEqual([200, 503]);
    service.use({ ...nothingLive, control: { version: 4, model }, head: 'h' });
    expect(call('GET', '/ready')).toMatchObject({ status: 200 });
    expect(JSON.parse(call('GET', '/ready').body)).toMatchObject({ versions: { champion: 4, challenger: null } });
  });
});

describe('/metrics', () => {
  test('count what was decided, how long it took and which probabilities it had', () => {
    const { call, post } = open();
    post(requests.slice(0, 200));
    post({ claim_id: 'broken' });
    call('POST', '/decide', 'no JSON');
    const { headers, body } = call('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const samples = new Map(
      body
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    for (const [name, value] of samples) {
      expect(name).toMatch(/^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})?$/);
      expect(value).toBeGreaterThanOrEqual(0);
    }
    const sum = (prefix: string) =>
      [...samples].filter(([name]) => name.startsWith(prefix)).reduce((total, [, value]) => total + value, 0);
    expect(sum('bordereau_decisions_total')).toBe(201);
    expect(samples.get('bordereau_errors_total{code="ML_ERROR_FEATURE_FORMAT"}')).toBe(1);
    expect(samples.get('bordereau_refused_requests_total{status="400"}')).toBe(1);
    expect(samples.get('bordereau_model_version{alias="champion"}')).toBe(4);
    expect(samples.get('bordereau_probability_count{tag="control:4"}')).toBe(200);
    expect(samples.get('bordereau_probability_bucket{tag="control:4",le="1"}')).toBe(200);
    // two hundred claims in .3 ms together, then one in .3 ms
    expect(samples.get('bordereau_inference_seconds_bucket{le="0.0001"}')).toBe(200);
    expect(samples.get('bordereau_inference_seconds_bucket{le="0.0005"}')).toBe(201);
    expect(samples.get('bordereau_inference_seconds_sum')).toBeCloseTo(0.0006, 9);
    const bounds = [...samples].filter(([name]) => name.startsWith('bordereau_inference_seconds_bucket'));
    expect(bounds.every(([, value], i) => i === 0 || value >= bounds[i - 1][1])).toBe(true);
  });

  test('neither metrics nor logs hold anything of a claim', () => {
    const { call, post, logged } = open();
    const marked = {
      ...requests[0],
      claim_id: 'CANARY-ID',
      date_of_birth: '1911-11-11',
      insurance_type: 'CANARY-TYPE',
    };
    post(marked);
    post({ ...requests[0], claim_id: 'CANARY-ID' });
    call('POST', '/decide', '{"claim_id": "CANARY-ID"');
    call('GET', '/CANARY-ID');
    expect(`${call('GET', '/metrics').body}${JSON.stringify(logged)}`).not.toMatch(/CANARY|1911/);
  });
});

describe('an experiment', () => {
  const usual = usualPlan('a-salt-of-its-own', [{ percent: 50, hours: 1 }]);
  const plan = { ...usual, guards: { ...usual.guards, leastDecisions: 200 } };
  const experiment = { champion: 4, challenger: 5, startedAtMs: nowMs, plan };
  const challenger = (probability: number) => ({
    version: 5,
    model: answering((_, rows) => new Float64Array(rows).fill(probability)),
  });
  const running = (probability: number) => ({
    control: { version: 4, model },
    challenger: challenger(probability),
    experiment,
    head: 'h',
  });
  const tagsOf = (service: Service) => new Set(service.decide(requests).map(({ tag }) => tag));

  test('ends by itself when the challenger fails: control answers everything from then on', () => {
    const reasons: string[] = [];
    const { service } = open({ onGuard: (reason) => void reasons.push(reason) }, running(NaN));
    expect(tagsOf(service)).toEqual(new Set(['control:4', 'challenger:5']));
    expect(reasons).toEqual([expect.stringContaining('The challenger fails in 100.0 % of its decisions')]);
    expect(tagsOf(service)).toEqual(new Set(['control:4']));
    expect(reasons).toHaveLength(1);
  });

  test('ends when the challenger decides quite otherwise', () => {
    const reasons: string[] = [];
    const { service } = open({ onGuard: (reason) => void reasons.push(reason) }, running(0.1));
    tagsOf(service);
    expect(reasons).toEqual([expect.stringContaining('approves 0.0 %')]);
    expect(tagsOf(service)).toEqual(new Set(['control:4']));
  });

  test('a new experiment begins with clean counts', () => {
    const { service } = open({}, running(NaN));
    tagsOf(service);
    service.use({ ...nothingLive, ...running(0.9), experiment: { ...experiment, startedAtMs: nowMs + 1 }, head: 'i' });
    expect(tagsOf(service)).toContain('challenger:5');
  });
});
