import type { Random } from '../../ml/random.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type GeneratedText,
  type NotGenerated,
  type TextGenerator,
  TextNotGenerated,
} from '../../ports/text-generator.ts';
import type { Recommend } from '../../usecase/recommend.ts';
import { type Refusal, checkText } from './check.ts';
import { type CostMeter, costMeter } from './cost.ts';
import type { TextFacts } from './facts.ts';
import { promptOf } from './prompt.ts';
import { templateText } from './template.ts';

/** Why a text is not the model's: the check refused it, or there was none. */
export type RefusedBecause = Refusal | NotGenerated | 'timeout' | 'cost-cap' | 'generator-down';

/** A text for the member, and where it comes from. Without a model `refusedBecause` is absent: nothing was refused. */
export type WrittenText = { text: string; source: 'template' | 'model'; refusedBecause?: RefusedBecause };

export type TextsWritten = {
  /** In the order of the facts. */
  texts: WrittenText[];
  /** Requests sent, repeated ones included. */
  requests: number;
  /** An upper bound: what was billed for answers, and the most that lost answers can have cost. */
  spentUsd: number;
};

export type TextPorts = {
  /** @default - every text is the template's */
  generator?: TextGenerator;
  clock: Clock;
  /** Of the jitter of waits. */
  random: Random;
};

type Model = NonNullable<Recommend['text']['model']>;

/**
 * A text for each recommendation, whatever happens: by the model where one is declared and there, checked against its facts; else
 * by the template, with the reason. Recommendations with equal facts share one text, so that no text is made for one member.
 *
 * At most `concurrency` requests are under way. Before each the most that it can cost is set aside: the cap is never passed, and
 * what no longer fits gets the template. Throttled requests are repeated after random waits; after several texts in a row for
 * which the service gave nothing it is not asked any more.
 */
export async function writeTexts(
  facts: readonly TextFacts[],
  { text: { model } }: Pick<Recommend, 'text'>,
  ports: TextPorts,
): Promise<TextsWritten> {
  const { generator } = ports;
  if (!generator || !model)
    return { texts: facts.map((one) => ({ text: templateText(one), source: 'template' })), requests: 0, spentUsd: 0 };

  const distinct = new Map<string, TextFacts>();
  const names = facts.map((one) => JSON.stringify(one));
  for (const [i, name] of names.entries()) if (!distinct.has(name)) distinct.set(name, facts[i]);

  const desk: Desk = { ...ports, generator, model, meter: costMeter(model.costCapUsd), requests: 0, emptyHanded: 0 };
  const written = new Map<string, WrittenText>();
  const waiting = distinct.entries();
  // each lane takes the next facts when it is done with the last: nothing is started that cannot be sent
  const lane = async () => {
    for (const [name, one] of waiting) written.set(name, await writeOne(one, desk, desk.random.fork(name)));
  };
  await Promise.all(Array.from({ length: model.concurrency }, lane));
  return {
    texts: names.map((name) => written.get(name)!),
    requests: desk.requests,
    spentUsd: desk.meter.spentUsd(),
  };
}

type Desk = TextPorts & {
  generator: TextGenerator;
  model: Model;
  meter: CostMeter;
  requests: number;
  /** Texts in a row for which the service gave nothing. */
  emptyHanded: number;
};

const mostEmptyHanded = 5;
const firstWaitMs = 500;
const longestWaitMs = 20_000;

async function writeOne(facts: TextFacts, desk: Desk, random: Random): Promise<WrittenText> {
  const answer = await ask(facts, desk, random);
  if (typeof answer === 'string') return { text: templateText(facts), source: 'template', refusedBecause: answer };
  const text = answer.sentences.map((sentence) => sentence.trim()).join(' ');
  const refusedBecause = checkText(text, facts);
  return refusedBecause ? { text: templateText(facts), source: 'template', refusedBecause } : { text, source: 'model' };
}

/** The answer, or why there is none. */
async function ask(facts: TextFacts, desk: Desk, random: Random): Promise<GeneratedText | RefusedBecause> {
  const { model, meter, clock, generator } = desk;
  const request = { ...promptOf(facts), maximumTokens: model.maximumTokens, temperature: model.temperature };
  const { input, output } = model.usdPerMillionTokens;
  const costUsd = (inputTokens: number, outputTokens: number) => (inputTokens * input + outputTokens * output) / 1e6;
  // no token is shorter than a byte; the description of the tool is far shorter than the difference
  const most = costUsd(Buffer.byteLength(request.system + request.user), model.maximumTokens);

  for (let attempt = 1; ; attempt++) {
    if (desk.emptyHanded >= mostEmptyHanded) return 'generator-down';
    if (!meter.reserve(most)) return 'cost-cap';
    desk.requests++;
    try {
      const answer = await within(clock, model.timeoutSeconds * 1000, (signal) => generator.generate(request, signal));
      meter.settle(most, costUsd(answer.inputTokens, answer.outputTokens));
      desk.emptyHanded = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof TextNotGenerated || error instanceof TimedOut)) throw error;
      const why = error instanceof TimedOut ? 'timeout' : error.why;
      // an answer that came too late or in a wrong form was billed
      meter.settle(most, why === 'timeout' || why === 'malformed' ? most : 0);
      if (why !== 'busy' || attempt >= model.attempts) {
        desk.emptyHanded++;
        return why;
      }
      await clock.sleep(random.uniform() * Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1)));
    }
  }
}

class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** Does work under a deadline of the clock; at its end the work's signal is aborted and `TimedOut` thrown. */
async function within<T>(clock: Clock, milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  const deadline = async (): Promise<never> => {
    await clock.sleep(milliseconds, done.signal);
    late.abort();
    throw new TimedOut();
  };
  try {
    return await Promise.race([work(late.signal), deadline()]);
  } finally {
    done.abort();
  }
}
