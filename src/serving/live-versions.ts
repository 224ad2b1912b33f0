import { liveAt, shadowOf } from '../governance/aliases.ts';
import { type Experiment, runningExperiment } from '../governance/experiment.ts';
import { readLedger } from '../governance/ledger.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { loadVersion, readable } from '../stages/common/version.ts';
import type { LiveModel } from './decider.ts';
import { onlineModelOf } from './online-model.ts';

/** To load a version nothing but the registry is read. */
export type RegistryPorts = Pick<Ports, 'registry'>;

/** What is live by the ledger, loaded. */
export type Live = {
  control: LiveModel | undefined;
  challenger: LiveModel | undefined;
  shadow: LiveModel | undefined;
  experiment: Experiment | null;
  /** The ledger's last entry that was seen; '' for an empty one. */
  head: string;
  /** Of each alias that could not be loaded, why. */
  faults: string[];
};

export const nothingLive: Live = {
  control: undefined,
  challenger: undefined,
  shadow: undefined,
  experiment: null,
  head: '',
  faults: [],
};

/**
 * The versions that the aliases name now. Where the ledger has not moved since `known`, that is given back; a version that is
 * loaded already is not loaded again. A champion that cannot be read leaves the one that answers; anyone else is left out. Throws
 * `LedgerBroken` and what the store throws.
 */
export async function refreshLive(
  ports: RegistryPorts,
  useCase: string,
  featureNames: readonly string[],
  known: Live = nothingLive,
): Promise<Live> {
  const entries = await readLedger(ports.registry, useCase);
  const head = entries.at(-1)?.hash ?? '';
  if (head === known.head) return known;

  const faults: string[] = [];
  const loaded = [known.control, known.challenger, known.shadow];
  const load = async (version: number | null): Promise<LiveModel | undefined> => {
    if (version === null) return undefined;
    const here = loaded.find((live) => live?.version === version);
    if (here) return here;
    const { value, fault } = await readable(() => loadVersion(ports as Ports, useCase, version));
    if (value) return { version, model: onlineModelOf(value.learnt, featureNames) };
    faults.push(`version ${version}: ${fault}`);
    return undefined;
  };

  const experiment = runningExperiment(entries);
  const control = (await load(liveAt(entries, 'champion'))) ?? known.control;
  loaded.push(control);
  const challenger = experiment ? await load(experiment.challenger) : undefined;
  loaded.push(challenger);
  const shadowVersion = shadowOf(entries);
  const shadow = shadowVersion === control?.version ? undefined : await load(shadowVersion);
  return { control, challenger, shadow, experiment: challenger ? experiment : null, head, faults };
}
