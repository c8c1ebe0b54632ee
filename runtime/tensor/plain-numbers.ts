const MINUS = 0x2d;
const DOT = 0x2e;
const COMMA = 0x2c;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/** Powers of ten that a double holds exactly: dividing or multiplying an exact number by one rounds once, correctly. */
export const exactPowersOfTen: readonly number[] = Array.from({ length: 23 }, (_, exponent) =>
  Number(`1e${exponent}`),
);
const powers = Float64Array.from(exactPowersOfTen);
/** A whole number of so many digits is exact, and so is the next one. */
const EXACT_DIGITS = 15;

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Rounding keeps the order: where both ends give the same single, so does all that lies between them. */
function areOneSingle(low: number, high: number): boolean {
  return Math.fround(low) === Math.fround(high);
}

/**
 * Reads the numbers of a JSON array that are written plainly, as encoders write them in by far most cases, at a fraction
 * of what a token each costs. It stops before the first one that needs more care: with an exponent, with more digits than
 * decide its value, with other white space than one blank behind a comma, the last one, and everything that is wrong. The
 * general way reads that one, and knows how to refuse it.
 */
export class PlainNumbers {
  /** Where the next number starts. */
  position = 0;

  readonly #bytes: Uint8Array;
  #digits = 0;
  #decimals = 0;
  /** More digits were written than `digits` holds: the value lies between digits and digits + 1. */
  #isCut = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Fills `data` from `index` up to `end` at most; gives the index behind the last one that was read. */
  read(data: Float32Array | Float64Array, index: number, end: number): number {
    const isSingle = data instanceof Float32Array;
    let next = index;
    for (; next < end; next++) {
      const isNegative = this.#bytes[this.position] === MINUS;
      const at = this.#scan(isNegative ? this.position + 1 : this.position);
      if (at < 0) break;
      const power = powers[this.#decimals] ?? NaN;
      const value = this.#digits / power;
      if (this.#isCut && !(isSingle && areOneSingle(value, (this.#digits + 1) / power))) break;
      data[next] = isNegative ? -value : value;
      this.position = at;
    }
    return next;
  }

  /** Takes digits, perhaps with a dot among them, and a comma; gives the position behind them, or -1. */
  #scan(start: number): number {
    const bytes = this.#bytes;
    const limit = start + EXACT_DIGITS + 1;
    let at = start;
    let dotAt = -1;
    let digits = 0;
    for (; at < limit; at++) {
      const byte = bytes[at] ?? 0;
      if (isDigit(byte)) digits = digits * 10 + (byte - ZERO);
      else if (byte === DOT && dotAt < 0) dotAt = at;
      else break;
    }
    this.#digits = digits;
    return dotAt < 0 ? this.#endWhole(start, at) : this.#endDecimal(start, dotAt, at);
  }

  #endWhole(start: number, end: number): number {
    const length = end - start;
    this.#decimals = 0;
    this.#isCut = false;
    if (length === 0 || length > EXACT_DIGITS) return -1;
    return this.#bytes[start] === ZERO && length > 1 ? -1 : this.#takeComma(end);
  }

  #endDecimal(start: number, dotAt: number, end: number): number {
    const wholeDigits = dotAt - start;
    this.#decimals = end - dotAt - 1;
    this.#isCut = isDigit(this.#bytes[end] ?? 0);
    if (wholeDigits === 0 || this.#decimals === 0) return -1;
    if (this.#bytes[start] === ZERO && wholeDigits > 1) return -1;
    return this.#takeComma(this.#isCut ? this.#skipDigits(end) : end);
  }

  #skipDigits(start: number): number {
    let end = start;
    while (isDigit(this.#bytes[end] ?? 0)) end++;
    return end;
  }

  #takeComma(at: number): number {
    if (this.#bytes[at] !== COMMA) return -1;
    return this.#bytes[at + 1] === SPACE ? at + 2 : at + 1;
  }
}
