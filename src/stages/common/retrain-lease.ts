import type { Ports } from '../../ports/stage-ports.ts';

/** The one mutex over monthly, drift-triggered and manual retraining of a use case. */
export const retrainLease = (ports: Ports, useCase: string) => ({ store: ports.registry, useCase, name: 'retrain' });
