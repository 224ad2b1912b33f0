import * as z from 'zod';
import { ArgumentError } from '../ensure.ts';

/** What the trainer of dense networks takes; names are those of the other trainers where they mean the same. */
export const denseParameters = z.strictObject({
  objective: z.enum(['binary', 'squared_error']).default('binary'),
  /** Units of each hidden layer. */
  hidden: z.array(z.int().min(1).max(4096)).max(8).default([16, 8]),
  /** Share of a hidden layer's outputs that a training step leaves out. */
  dropout: z.number().min(0).lt(1).default(0),
  learningRate: z.number().gt(0).max(1).default(0.001),
  batchSize: z.int().min(1).default(32),
  epochs: z.int().min(1).default(50),
  /** Stop after so many epochs without a lower loss on the validation rows, if there are any; 0 never stops. The best is kept. */
  earlyStoppingEpochs: z.int().min(0).default(5),
  /** binary: weight of the positive rows. */
  scalePosWeight: z.number().gt(0).default(1),
  seed: z.union([z.number(), z.string()]).default(1),
});

export type DenseParameters = z.input<typeof denseParameters>;
export type Dense = z.output<typeof denseParameters>;

/** Defaults filled in. Throws ArgumentError, which names the parameter. */
export function checkDenseParameters(parameters: DenseParameters): Dense {
  const checked = denseParameters.safeParse(parameters);
  if (checked.success) return checked.data;
  throw new ArgumentError(`The parameters of the network are wrong: ${z.prettifyError(checked.error)}`);
}
