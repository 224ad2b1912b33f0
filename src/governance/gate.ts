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
