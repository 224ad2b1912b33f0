import type { Random } from '../../src/ml/random.ts';
import { type Faults, noFaults } from './scheduler.ts';

/** How bad it gets under a seed: from nothing at all to a storm in which most calls fail. */
export function weather(draw: Random): Faults {
  const rate = draw.choice([0, 0.005, 0.02, 0.08]);
  if (rate === 0) return { ...noFaults, jump: 0.002 };
  const kinds = ['unavailable', 'lost', 'asked again', 'timeout', 'crash before', 'crash after'] as const;
  const rates = Object.fromEntries(kinds.map((kind) => [kind, rate * draw.uniform()]));
  return { ...(rates as Faults), jump: draw.choice([0, 0.002, 0.01]) };
}
