import type { Telemetry } from '../ports/telemetry.ts';
import type { Decided, Decider } from './decider.ts';
import { type Live, nothingLive } from './live-versions.ts';
import type { Measures } from './measures.ts';
import type { Traffic } from './traffic.ts';

export type ServiceRequest = { method: string; path: string; contentType?: string; body: Uint8Array };
export type ServiceResponse = { status: number; headers: { [name: string]: string }; body: string };

export type ServiceParts = {
  useCase: string;
  decider: Decider;
  traffic: Traffic;
  measures: Measures;
  telemetry: Telemetry;
  nowMs: () => number;
  /** Of a clock that never goes back, with fractions. */
  monotonicMs: () => number;
  /** Where decisions are remembered. @default - nowhere */
  log?: { add: (decided: readonly Decided[], nowMs: number) => void };
  /** People decide everything. @default false */
  isOff?: boolean;
  /** Told once when a guard breaks. @default - nobody is */
  onGuard?: (reason: string) => void;
};

/** A body of a thousand claims with ten lines each has about half of that. */
export const mostBodyBytes = 4 * 1024 * 1024;
export const mostRequests = 10_000;

/**
 * The service behind `/decide`, `/health`, `/ready` and `/metrics`, whoever listens: a request in, a response out. `/decide` takes
 * one claim, or a list of them, as JSON; a claim that breaks rules is answered by a decision as well, only a body that is no JSON
 * of that kind by an HTTP error. Neither logs nor metrics hold anything of a claim.
 */
export class Service {
  readonly #parts: ServiceParts;
  #live: Live = nothingLive;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** From now on these versions answer. */
  use(live: Live): void {
    this.#live = live;
  }

  get live(): Live {
    return this.#live;
  }

  handle({ method, path, contentType = 'application/json', body }: ServiceRequest): ServiceResponse {
    const route = Object.hasOwn(routes, path) ? routes[path as keyof typeof routes] : undefined;
    if (!route) return this.#refused(404, `There is no ${path}; there are ${Object.keys(routes).join(', ')}.`);
    if (method !== route) {
      const refused = this.#refused(405, `${path} takes ${route}, not ${method}.`);
      return { ...refused, headers: { ...refused.headers, allow: route } };
    }
    if (path === '/health') return json(200, { status: 'ok', useCase: this.#parts.useCase });
    if (path === '/ready') return this.#ready();
    if (path === '/metrics') return this.#metrics();
    if (!/^application\/json(;|$)/i.test(contentType)) return this.#refused(415, 'Send application/json.');
    return this.#decide(body);
  }

  /** The decisions themselves, for who calls in process. */
  decide(requests: readonly unknown[]): Decided[] {
    const { decider, traffic, measures, log, nowMs, monotonicMs, isOff = false, onGuard } = this.#parts;
    const [atMs, startedMs] = [nowMs(), monotonicMs()];
    const decided = decider.decide(requests, { ...traffic.routing(this.#live, atMs), isOff }, atMs);
    const tookMs = monotonicMs() - startedMs;
    measures.observe(decided, tookMs / 1000);
    log?.add(decided, atMs);
    const broken = traffic.count(decided, tookMs / Math.max(1, decided.length));
    if (broken !== null) onGuard?.(broken);
    return decided;
  }

  #decide(body: Uint8Array): ServiceResponse {
    if (body.length > mostBodyBytes)
      return this.#refused(413, `A body has at most ${mostBodyBytes} bytes, this one ${body.length}.`);
    let parsed: unknown;
    try {
      parsed = JSON.parse(utf8.decode(body));
    } catch {
      return this.#refused(400, 'The body is not JSON in UTF-8.');
    }
    if (Array.isArray(parsed)) {
      if (parsed.length > mostRequests)
        return this.#refused(413, `A list has at most ${mostRequests} requests, this one ${parsed.length}.`);
      return json(200, { decisions: this.decide(parsed).map(answer) });
    }
    if (typeof parsed !== 'object' || parsed === null) {
      return this.#refused(400, 'The body is neither an object nor a list of objects.');
    }
    return json(200, answer(this.decide([parsed])[0]));
  }

  #ready(): ServiceResponse {
    const { control, challenger, shadow, faults } = this.#live;
    const versions = {
      champion: control?.version ?? null,
      challenger: challenger?.version ?? null,
      shadow: shadow?.version ?? null,
    };
    return json(control ? 200 : 503, {
      status: control ? 'ready' : 'no version is live',
      versions,
      faults: faults.length,
    });
  }

  #metrics(): ServiceResponse {
    const { control, challenger, shadow } = this.#live;
    const versions = { champion: control?.version, challenger: challenger?.version, shadow: shadow?.version };
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: this.#parts.measures.text({ versions }),
    };
  }

  #refused(status: number, message: string): ServiceResponse {
    this.#parts.measures.refuse(status);
    this.#parts.telemetry.warn('request refused', { useCase: this.#parts.useCase, status });
    return json(status, { error: message });
  }
}

const routes = { '/decide': 'POST', '/health': 'GET', '/ready': 'GET', '/metrics': 'GET' } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What the caller is told: who decided, and what is wrong; never the shadow's opinion. */
function answer({ key, action, code, probability, tag, faults }: Decided): object {
  return { key, decision: action, code, probability, model: tag, faults };
}

function json(status: number, value: object): ServiceResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
