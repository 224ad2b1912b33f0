/** Fresh identifiers as an argument: unique, never derived from data. */
export interface Ids {
  next(): string;
}

/** Where the surrogates of a vault come from: unique, never derived from data. */
export interface SurrogateSource {
  /** @param vault its path, `vault/<use case>/<column>` */
  nextOf(vault: string): string;
}
