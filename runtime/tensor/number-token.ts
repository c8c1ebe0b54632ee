const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;

/** A number as written: nothing is rounded until the reader of a tensor knows what it is read for. */
export class NumberToken {
  start = 0;
  end = 0;
  negative = false;
  /** All digits as one whole number; exact while there are at most 15 of them. */
  digits = 0;
  digitCount = 0;
  /** The value is digits × 10^exponent. */
  exponent = 0;
  /** Neither a fraction nor an exponent was written. */
  isWhole = true;

  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes the number (RFC 8259, §6) that starts here; false when none does. */
  read(start: number): boolean {
    this.start = start;
    this.digits = 0;
    this.digitCount = 0;
    this.exponent = 0;
    this.isWhole = true;
    this.negative = this.#bytes[start] === MINUS;
    this.end = this.negative ? start + 1 : start;
    const hasLeadingZero = this.#bytes[this.end] === ZERO;
    const wholeDigits = this.#readDigits();
    if (wholeDigits === 0 || (hasLeadingZero && wholeDigits > 1)) return false;
    return this.#readFraction() && this.#readExponent();
  }

  #readFraction(): boolean {
    if (this.#bytes[this.end] !== DOT) return true;
    this.end++;
    this.isWhole = false;
    const fractionDigits = this.#readDigits();
    this.exponent = -fractionDigits;
    return fractionDigits > 0;
  }

  #readExponent(): boolean {
    if (((this.#bytes[this.end] ?? 0) | 0x20) !== LETTER_E) return true;
    this.end++;
    this.isWhole = false;
    const sign = this.#bytes[this.end];
    if (sign === MINUS || sign === PLUS) this.end++;
    const { digits, digitCount } = this;
    this.digits = 0;
    const exponentDigits = this.#readDigits();
    this.exponent += sign === MINUS ? -this.digits : this.digits;
    this.digits = digits;
    this.digitCount = digitCount;
    return exponentDigits > 0;
  }

  #readDigits(): number {
    const bytes = this.#bytes;
    const start = this.end;
    let byte = bytes[this.end] ?? 0;
    while (byte >= ZERO && byte <= NINE) {
      this.digits = this.digits * 10 + (byte - ZERO);
      byte = bytes[++this.end] ?? 0;
    }
    this.digitCount += this.end - start;
    return this.end - start;
  }
}
