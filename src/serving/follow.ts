import type { Ports } from '../ports/stage-ports.ts';
import { refreshLive } from './live-versions.ts';
import type { Service } from './service.ts';

/** Of the ports, what it takes to follow the registry. */
export type FollowPorts = Pick<Ports, 'registry' | 'clock' | 'telemetry'>;

export type FollowOptions = {
  useCase: string;
  featureNames: readonly string[];
  /** Ends the following. */
  signal: AbortSignal;
  /** @default 5000 */
  everyMs?: number;
  /** What is to be done as often. @default - nothing */
  afterLook?: () => Promise<void>;
};

/**
 * Looks at the ledger again and again, on the ports' clock, and lets the service use what is live: a promotion or a rollback needs
 * no restart. A look that fails leaves everything as it is. Resolves when the signal aborts.
 */
export async function follow(
  service: Service,
  ports: FollowPorts,
  { useCase, featureNames, signal, everyMs = 5000, afterLook }: FollowOptions,
): Promise<void> {
  while (!signal.aborted) {
    await look(service, ports, useCase, featureNames);
    await afterLook?.();
    await ports.clock.sleep(everyMs, signal).catch(() => undefined);
  }
}

/** One look; says whether it succeeded. */
export async function look(
  service: Service,
  ports: FollowPorts,
  useCase: string,
  featureNames: readonly string[],
): Promise<boolean> {
  try {
    const live = await refreshLive(ports, useCase, featureNames, service.live);
    if (live !== service.live) {
      service.use(live);
      ports.telemetry.info('versions changed', {
        useCase,
        champion: live.control?.version ?? null,
        challenger: live.challenger?.version ?? null,
        shadow: live.shadow?.version ?? null,
        faults: live.faults.length,
      });
    }
    return true;
  } catch (error) {
    ports.telemetry.warn('the ledger cannot be read; the versions stay', { useCase, error: (error as Error).name });
    return false;
  }
}
