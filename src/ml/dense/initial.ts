import type { Random } from '../random.ts';
import type { DenseLayer, DenseNetwork } from './network.ts';
import type { Dense } from './parameters.ts';

/**
 * The network that training starts from. Weights are uniform, with He's range before a RELU (He et al., "Delving deep into
 * rectifiers", 2015) and Glorot's in the last layer (Glorot and Bengio, "Understanding the difficulty of training deep feedforward
 * neural networks", 2010); biases are zero, but for the last: those are `base`, so that the first prediction is the base rate.
 */
export function initialNetwork(
  featureNames: readonly string[],
  { hidden, objective }: Dense,
  base: Float64Array,
  stream: Random,
): DenseNetwork {
  const sizes = [featureNames.length, ...hidden, base.length];
  const layers = sizes.slice(1).map((units, k): DenseLayer => {
    const inputs = sizes[k];
    const isLast = k === hidden.length;
    const limit = isLast ? Math.sqrt(6 / (inputs + units)) : Math.sqrt(6 / inputs);
    return {
      inputs,
      units,
      activation: isLast ? (objective === 'binary' ? 'sigmoid' : 'linear') : 'relu',
      weights: Float32Array.from({ length: inputs * units }, () => limit * (2 * stream.uniform() - 1)),
      bias: isLast ? Float32Array.from(base) : new Float32Array(units),
    };
  });
  return { featureNames, layers };
}
