import { say, stored } from './text.ts';

/** One gate's answer; plain JSON. A number that could not be computed is null. */
export type GateResult = {
  name: string;
  passed: boolean;
  evidence: {
    value: number | null;
    low: number | null;
    high: number | null;
    limit: number | null;
    /** What was asked: `R² ≥ 0.8`. */
    requirement: string;
    /** What was found, in a sentence. */
    text: string;
    /** True where a constant prediction passes as well: then the gate proves nothing on its own. */
    constantPasses: boolean;
  };
};

/** A gate whose evidence is a sentence and no number. */
export function plainGate(name: string, passed: boolean, requirement: string, text: string): GateResult {
  return {
    name,
    passed,
    evidence: { value: null, low: null, high: null, limit: null, requirement, text, constantPasses: false },
  };
}

/** A gate over one measured value without an interval, which passes up to the limit; one that was not measured fails. */
export function atMostGate(
  name: string,
  value: number,
  limit: number,
  { asked, found, constantPasses }: { asked: string; found: string; constantPasses: boolean },
): GateResult {
  return {
    name,
    passed: value <= limit,
    evidence: {
      value: stored(value),
      low: null,
      high: null,
      limit,
      requirement: `${asked} ≤ ${say(limit)}`,
      text: found,
      constantPasses,
    },
  };
}
