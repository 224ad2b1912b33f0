/** Fresh identifiers as an argument: unique, never derived from data. */
export interface Ids {
  next(): string;
}
