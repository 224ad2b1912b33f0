/** Nodes and weights of a quadrature rule on [0, 1]. */
export type Quadrature = { nodes: Float64Array; weights: Float64Array };

const rules: Quadrature[] = [];

/**
 * Gauss–Legendre quadrature on [0, 1], exact for polynomials up to degree 2·points − 1. Nodes are the roots of the Legendre
 * polynomial, found by Newton's method (Press et al., Numerical Recipes, §4.6).
 */
export function gaussLegendre(points: number): Quadrature {
  const known = rules[points];
  if (known !== undefined) return known;
  const nodes = new Float64Array(points);
  const weights = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (points + 0.5));
    let slope = 0;
    for (let step = 0; step < 20; step++) {
      // the recurrence (j + 1)·P[j+1] = (2j + 1)·x·P[j] − j·P[j−1]
      let value = 1;
      let previous = 0;
      for (let j = 0; j < points; j++) [value, previous] = [((2 * j + 1) * x * value - j * previous) / (j + 1), value];
      slope = (points * (x * value - previous)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    nodes[i] = (1 - x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  const rule = { nodes, weights };
  rules[points] = rule;
  return rule;
}
