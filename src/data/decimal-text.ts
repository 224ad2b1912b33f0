/** Sums of money as texts are added and compared exactly, in millionths; no double comes near them. */
const digits = 6;
const unit = 10n ** BigInt(digits);

/** `-1.5` → -1500000n. Digits beyond the sixth are cut off. */
export function millionths(text: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new RangeError('An amount is written with digits and one point, such as 1234.50.');
  const size = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  return sign === '-' ? -size : size;
}

/** 1500000n → `1.50`: at least two digits after the point, and no zeros behind them. */
export function decimalText(amount: bigint): string {
  const size = amount < 0n ? -amount : amount;
  const fraction = String(size % unit)
    .padStart(digits, '0')
    .replace(/0{1,4}$/, '');
  return `${amount < 0n ? '-' : ''}${size / unit}.${fraction}`;
}

/** Whole cents, half a cent away from zero. */
export function cents(amount: bigint): bigint {
  const half = unit / 200n;
  return (amount < 0n ? amount - half : amount + half) / (unit / 100n);
}
