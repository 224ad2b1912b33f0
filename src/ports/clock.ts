/** Time as an argument. `nowMs` is milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  nowMs(): number;
  /** Resolves after that time has passed on this clock; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
