/** One question to a language model. It holds nothing about a person: names of features, banded values, names of offers. */
export type TextRequest = {
  system: string;
  user: string;
  /** Of the answer. */
  maximumTokens: number;
  temperature: number;
};

/** An answer in its closed form, and what it was billed for. */
export type GeneratedText = { sentences: string[]; inputTokens: number; outputTokens: number };

/** Writes a few sentences. Nothing that it writes is used unchecked. */
export interface TextGenerator {
  /** One attempt: the caller decides about others. Throws `TextNotGenerated`; an aborted signal ends the request. */
  generate(request: TextRequest, signal?: AbortSignal): Promise<GeneratedText>;
}

/** Why there is no text. Only `busy` may pass by waiting. */
export type NotGenerated = 'busy' | 'denied' | 'malformed';

/** There is no text; the message names the service's error and never its words, which may quote the request. */
export class TextNotGenerated extends Error {
  override readonly name = 'TextNotGenerated';
  readonly why: NotGenerated;
  constructor(why: NotGenerated, model: string, reason: string) {
    super(`The model ${model} wrote no text (${reason}). ${advice[why]}`);
    this.why = why;
  }
}

const advice: { [why in NotGenerated]: string } = {
  busy: 'It is overloaded: lower the concurrency, or ask for a higher quota.',
  denied: "Check that the model is enabled in this account and Region, and that the function's role may invoke it.",
  malformed: 'Choose a model that can be held to a tool.',
};
