/*
 * What a use case's folder offers beside its declaration, where it decides single cases on the spot: `online.ts`, the twin of
 * its features.sql for one request. A test holds both to the same bits; the server and the deployed function load it by name.
 */

/** What is wrong with a request: a rule's name as in the contract, and where; never the value. */
export type RequestFault = { rule: string; field: string };

/** A request whose features are written; `key` is the entity's key, by which traffic is split and answers are told apart. */
export type ReadRequest = { key: string; faults: readonly RequestFault[] };

export type Online = {
  /** The features that `read` writes, in this order: the model's, by the names of features.sql. */
  featureNames: readonly string[];
  /**
   * Checks one request and writes its features to `into[at …]`. Where there are faults nothing is promised of what is written,
   * and `key` is '' where it cannot be told. `nowMs` is when the request came, as a file's rows have their time of arrival.
   */
  read: (request: unknown, into: Float64Array, at: number, nowMs: number) => ReadRequest;
};

/** The module `online.ts`. */
export type OnlineModule = { online: Online };
