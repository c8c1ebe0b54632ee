const SUFFIX_POWERS: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const QUANTITY = /^([+-]?)([0-9]*)(?:[.]([0-9]*))?(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?$/;

const NO_POWER = [10n, 0] as const;
const NANOS_EXPONENT = 9;

/** Whether two texts stand for the same amount: the API server writes 1000m as 1, and 1024Mi as 1Gi. */
export function sameQuantity(left: string, right: string): boolean {
  const leftNanos = quantityNanos(left);
  return leftNanos !== undefined && leftNanos === quantityNanos(right);
}

export function isQuantity(text: string): boolean {
  return quantityNanos(text) !== undefined;
}

/** Negative, zero or positive, as the left amount is less than, equal to or more than the right one. */
export function compareQuantities(left: string, right: string): number {
  const [leftNanos, rightNanos] = [left, right].map(quantityNanos);
  if (leftNanos === undefined || rightNanos === undefined) {
    throw new RangeError(`'${left}' and '${right}' are not both quantities such as 500m or 1Gi`);
  }
  return leftNanos < rightNanos ? -1 : Number(leftNanos > rightNanos);
}

/** The amount in whole units, rounded up; undefined when the text is no quantity. */
export function quantityUnits(text: string): bigint | undefined {
  const nanos = quantityNanos(text);
  return nanos === undefined ? undefined : shiftedUp(nanos, -NANOS_EXPONENT);
}

/** The amount in billionths, rounded up as Kubernetes does; undefined when the text is no quantity. */
function quantityNanos(text: string): bigint | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  // A group that did not take part is undefined, whatever the types say.
  const [, sign, whole, fraction, suffix, exponent] = match.map((group: string | undefined) => group ?? '');
  const digits = `${whole}${fraction}`;
  if (digits === '') return undefined;
  const [base, power] = SUFFIX_POWERS[`${suffix}`] ?? NO_POWER;
  const binaryFactor = base === 2n ? 2n ** BigInt(power) : 1n;
  const shift = NANOS_EXPONENT - `${fraction}`.length + Number(exponent) + (base === 10n ? power : 0);
  const nanos = shiftedUp(BigInt(digits) * binaryFactor, shift);
  return sign === '-' ? -nanos : nanos;
}

/** `amount` times ten to the power of `shift`, rounded up. */
function shiftedUp(amount: bigint, shift: number): bigint {
  if (shift >= 0) return amount * 10n ** BigInt(shift);
  const denominator = 10n ** BigInt(-shift);
  return (amount + denominator - 1n) / denominator;
}
