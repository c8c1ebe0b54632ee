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
/** Below it, one digit more still leaves a whole number of at most 15 digits, which is exact, and so is the next one. */
const ROOM_FOR_A_DIGIT = 1e14;

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
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
  readSingles(data: Float32Array, index: number, end: number): number {
    const bytes = this.#bytes;
    let next = index;
    for (; next < end; next++) {
      const start = this.position;
      const isNegative = bytes[start] === MINUS;
      const at = this.#scan(isNegative ? start + 1 : start);
      if (at < 0) break;
      const power = powers[this.#decimals] ?? NaN;
      const value = Math.fround(this.#digits / power);
      // Rounding keeps the order: where both ends give the same single, so does all that lies between them.
      if (this.#isCut && Math.fround((this.#digits + 1) / power) !== value) break;
      data[next] = isNegative ? -value : value;
      this.position = at;
    }
    return next;
  }

  readDoubles(data: Float64Array, index: number, end: number): number {
    const bytes = this.#bytes;
    let next = index;
    for (; next < end; next++) {
      const start = this.position;
      const isNegative = bytes[start] === MINUS;
      const at = this.#scan(isNegative ? start + 1 : start);
      if (at < 0 || this.#isCut) break;
      const value = this.#digits / (powers[this.#decimals] ?? NaN);
      data[next] = isNegative ? -value : value;
      this.position = at;
    }
    return next;
  }

  /** Takes digits, perhaps a dot and decimals, and a comma; gives the position behind them, or -1. */
  #scan(start: number): number {
    const bytes = this.#bytes;
    this.#digits = 0;
    this.#decimals = 0;
    this.#isCut = false;
    const wholeEnd = this.#scanDigits(start);
    if (wholeEnd === start || (bytes[start] === ZERO && wholeEnd > start + 1)) return -1;
    const end = bytes[wholeEnd] === DOT ? this.#scanDecimals(wholeEnd + 1) : wholeEnd;
    if (bytes[end] !== COMMA) return -1;
    return bytes[end + 1] === SPACE ? end + 2 : end + 1;
  }

  #scanDecimals(start: number): number {
    let end = this.#scanDigits(start);
    this.#decimals = end - start;
    if (end === start || this.#decimals >= powers.length) return -1;
    for (; isDigit(this.#bytes[end] ?? 0); end++) this.#isCut = true;
    return end;
  }

  /** Takes digits while they are exact; gives the position behind them. */
  #scanDigits(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let digits = this.#digits;
    let byte = bytes[at] ?? 0;
    while (isDigit(byte) && digits < ROOM_FOR_A_DIGIT) {
      digits = digits * 10 + (byte - ZERO);
      byte = bytes[++at] ?? 0;
    }
    this.#digits = digits;
    return at;
  }
}
