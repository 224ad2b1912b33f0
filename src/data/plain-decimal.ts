/**
 * A decimal number with an exponent (`1.5e-05`, as programs write floats) without it (`0.000015`), digit for digit. Other texts,
 * and exponents beyond ±400, which no double has, are returned as they are.
 */
export function plainDecimal(text: string): string {
  const [, sign, whole, fraction = '', exponentText] = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(text) ?? [];
  const exponent = Number(exponentText);
  if (whole === undefined || Math.abs(exponent) > 400) return text;
  const point = whole.length + exponent;
  const digits = (whole + fraction).padStart(whole.length + fraction.length - Math.min(0, point), '0');
  const at = Math.max(0, point);
  const before =
    digits
      .slice(0, at)
      .padEnd(at, '0')
      .replace(/^0+(?=\d)/, '') || '0';
  const after = digits.slice(at).replace(/0+$/, '');
  return `${sign}${before}${after && `.${after}`}`;
}
