import { ArgumentError } from '../ensure.ts';
import { logGamma } from './special.ts';

/**
 * I_x(a, b), the regularised incomplete beta function: P(X ≤ x) for a beta variable; a, b > 0 and 0 ≤ x ≤ 1. By the continued
 * fraction of DLMF 8.17.22 (Lentz's method), on whichever side of the mean it converges at once.
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) {
    throw new ArgumentError(`I_x(a, b) needs a, b > 0 and 0 ≤ x ≤ 1: a is ${a}, b is ${b}, x is ${x}.`);
  }
  if (x === 0 || x === 1) return x;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * fraction(a, b, x)) / a : 1 - (front * fraction(b, a, 1 - x)) / b;
}

/** The x with I_x(a, b) = `probability`, by bisection down to neighbouring numbers. */
export function betaQuantile(a: number, b: number, probability: number): number {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ArgumentError(`A beta quantile needs a probability from 0 to 1, it is ${probability}.`);
  }
  let low = 0;
  let high = 1;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (incompleteBeta(a, b, middle) < probability) low = middle;
    else high = middle;
  }
}

function fraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}
