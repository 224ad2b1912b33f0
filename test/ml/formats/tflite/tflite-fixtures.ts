import { readFileSync } from 'node:fs';
import type { DenseNetwork } from '../../../../src/ml/dense/network.ts';
import type { Random } from '../../../../src/ml/random.ts';

const bytesOf = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../../../fixtures/tflite/${name}`, import.meta.url)));

/** A file of TensorFlow's converter with its rows and the answers of TensorFlow Lite's reference kernels. */
export function tfliteFixture(name: string) {
  const input = new Int8Array(bytesOf(`${name.split('.')[0]}.in`).buffer);
  const answers = bytesOf(`${name}.out`).buffer;
  return {
    bytes: bytesOf(`${name}.tflite`),
    integers: input,
    reals: Float32Array.from(input, (value) => value / 32),
    integerAnswers: new Int8Array(answers),
    realAnswers: answers.byteLength % 4 === 0 ? new Float32Array(answers) : new Float32Array(),
  };
}

export const tfliteBytes = (name: string) => bytesOf(`${name}.tflite`);

/** A network with random weights of the size that training begins with. */
export function randomNetwork(sizes: readonly number[], last: 'sigmoid' | 'linear', stream: Random): DenseNetwork {
  const layers = sizes.slice(1).map((units, k) => ({
    inputs: sizes[k],
    units,
    activation: k + 2 === sizes.length ? last : ('relu' as const),
    weights: Float32Array.from({ length: sizes[k] * units }, () => stream.normal(0, Math.sqrt(2 / sizes[k]))),
    bias: Float32Array.from({ length: units }, () => stream.normal(0, 0.3)),
  }));
  return { featureNames: Array.from({ length: sizes[0] }, (_, i) => `x${i}`), layers };
}

export function normals(length: number, stream: Random): Float32Array {
  return Float32Array.from({ length }, () => stream.normal());
}

export function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let gap = 0;
  for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs(a[i] - b[i]));
  return gap;
}
