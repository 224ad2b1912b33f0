type Values = Float32Array | Float64Array;

/**
 * Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015), with β 0.9 and 0.999. Gives a function that changes
 * the parameters in place by the gradients that stand in the arrays when it is called. Its own state is float64.
 */
export function adam(
  parameters: readonly Values[],
  gradients: readonly Values[],
  { learningRate, epsilon }: { learningRate: number; epsilon: number },
): () => void {
  const means = parameters.map(({ length }) => new Float64Array(length));
  const squares = parameters.map(({ length }) => new Float64Array(length));
  let steps = 0;
  return () => {
    steps++;
    const meanShare = 1 - 0.9 ** steps;
    const squareShare = 1 - 0.999 ** steps;
    parameters.forEach((values, k) => {
      const [gradient, mean, square] = [gradients[k], means[k], squares[k]];
      for (let i = 0; i < values.length; i++) {
        mean[i] += 0.1 * (gradient[i] - mean[i]);
        square[i] += 0.001 * (gradient[i] * gradient[i] - square[i]);
        values[i] -= (learningRate * (mean[i] / meanShare)) / (Math.sqrt(square[i] / squareShare) + epsilon);
      }
    });
  };
}
