import type { BackendSources } from '../ml/dense/backend.ts';
import type { Catalogue } from '../usecase/catalogue.ts';
import type { Clock } from './clock.ts';
import type { Executions } from './executions.ts';
import type { Ids, SurrogateSource } from './ids.ts';
import type { KeyRing } from './key-ring.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import type { ObjectStore } from './object-store.ts';
import type { Telemetry } from './telemetry.ts';
import type { TextGenerator } from './text-generator.ts';

/** Everything a stage may touch. A Lambda and the embedded runtime each make one; a test makes its own. */
export type Ports = {
  bronze: ObjectStore;
  silver: ObjectStore;
  gold: ObjectStore;
  registry: ObjectStore;
  reports: ObjectStore;
  catalogue: Catalogue;
  clock: Clock;
  ids: Ids;
  /** Where the vaults' surrogates come from. @default - `ids`: random, as all but synthetic data need it */
  surrogates?: SurrogateSource;
  executions: Executions;
  /** Wraps the data keys of the vaults; only those who may ingest or re-identify can use it. */
  keyRing: KeyRing;
  models: ModelCatalogue;
  telemetry: Telemetry;
  /** What dense networks are trained on. @default - plain JavaScript */
  backends?: BackendSources;
  /**
   * The file of a second thread for a model of trees of several outputs (ml/trees/training-thread.ts), where there is a processor for
   * it; with it or without, the model is the same. @default - one thread
   */
  trainingThread?: URL;
  /** How many threads may score or explain by one model of trees; whatever there are, what comes of it is the same. @default 1 */
  modelThreads?: 1 | 2;
  /** Gives back what a stage no longer holds, in the middle of it. @default - whenever the engine sees reason to */
  giveBackMemory?: () => void;
  /** Writes texts by a model of that id. @default - there is none, and every text is the template's */
  texts?: (modelId: string) => TextGenerator;
  /** A directory for spilled and downloaded data; emptied by whoever made the ports. */
  temporaryDirectory: string;
  /** The commit that this code was built from, for lineage. */
  codeVersion: string;
};
