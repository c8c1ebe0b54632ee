import { RequestError } from '../errors.ts';
import { NumberToken } from './number-token.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
export const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const LETTER_U = 0x75;
const END_OF_TEXT = -1;

const MAXIMUM_DEPTH = 64;
const MAXIMUM_QUOTED_LENGTH = 40;

/** What may follow a backslash, besides u and four hexadecimal digits. */
const simpleEscapes = new Set(Buffer.from('"\\/bfnrt'));

/**
 * Reads JSON (RFC 8259) straight from bytes, one value at a time and without building objects: numbers stay as written,
 * so no INT64 is squeezed through a double, and keys never become properties.
 * Pre: the bytes are valid UTF-8.
 */
export class JsonScanner {
  position: number;
  readonly #bytes: Buffer;
  readonly #token: NumberToken;

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes;
    this.#token = new NumberToken(bytes);
    this.position = position;
  }

  /** A scanner of the same bytes that starts elsewhere. */
  at(position: number): JsonScanner {
    return new JsonScanner(this.#bytes, position);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The next byte that is not white space, without taking it. */
  peek(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.position];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++this.position];
    return byte ?? END_OF_TEXT;
  }

  /** The byte behind the one that peek() gave. */
  peekFurther(): number {
    return this.#bytes[this.position + 1] ?? END_OF_TEXT;
  }

  fail(expected: string): never {
    this.peek();
    const got =
      this.position >= this.#bytes.length ? 'the end of the body' : `'${this.quote(this.position)}'`;
    throw new RequestError(
      'MalformedRequest',
      `the body is not valid: expected ${expected} at byte ${this.position}, got ${got}`,
    );
  }

  /** A short piece of the text, to show in a message. */
  quote(start: number, end = this.#bytes.length): string {
    const limit = Math.min(end, start + MAXIMUM_QUOTED_LENGTH);
    const text = this.#bytes.toString('utf8', start, limit).replace(/\s.*$/su, '');
    return limit < end && text.length >= MAXIMUM_QUOTED_LENGTH ? `${text}…` : text;
  }

  text(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end);
  }

  /** Calls `onMember` at each value; it must read or skip that value. */
  readObject(expected: string, onMember: (key: string) => void): void {
    this.#take(OPEN_OBJECT, expected);
    if (this.#takeIf(CLOSE_OBJECT)) return;
    do {
      const key = this.readString('a member name');
      this.#take(COLON, "':'");
      onMember(key);
    } while (this.#takeIf(COMMA));
    this.#take(CLOSE_OBJECT, "',' or '}'");
  }

  /** Calls `onElement` at each value; it must read or skip that value. */
  readArray(expected: string, onElement: (index: number) => void): number {
    this.#take(OPEN_ARRAY, expected);
    if (this.#takeIf(CLOSE_ARRAY)) return 0;
    let count = 0;
    do onElement(count++);
    while (this.#takeIf(COMMA));
    this.#take(CLOSE_ARRAY, "',' or ']'");
    return count;
  }

  readString(expected: string): string {
    if (this.peek() !== QUOTE) this.fail(expected);
    const start = this.position;
    const hasEscapes = this.#skipString();
    if (!hasEscapes) return this.#bytes.toString('utf8', start + 1, this.position - 1);
    return JSON.parse(this.#bytes.toString('utf8', start, this.position)) as string;
  }

  /** A string, number or truth value; undefined for null and for what has parts, which is skipped. */
  readScalar(): boolean | number | bigint | string | undefined {
    const first = this.peek();
    if (first === QUOTE) return this.readString('a string');
    if (this.takeWord('true')) return true;
    if (this.takeWord('false')) return false;
    if (first !== 0x2d && (first < 0x30 || first > 0x39)) {
      this.skipValue();
      return undefined;
    }
    const { isWhole, digitCount, start, end } = this.readNumber('a number');
    const text = this.text(start, end);
    const isBig = isWhole && digitCount <= 20 && !Number.isSafeInteger(Number(text));
    return isBig ? BigInt(text) : Number(text);
  }

  readEnd(): void {
    if (this.peek() !== END_OF_TEXT) this.fail('nothing after the JSON value');
  }

  /** Takes `word` if the text goes on with it. */
  takeWord(word: string): boolean {
    this.peek();
    const end = this.position + word.length;
    if (this.text(this.position, end) !== word) return false;
    this.position = end;
    return true;
  }

  skipValue(depth = 0): void {
    if (depth > MAXIMUM_DEPTH) this.fail(`at most ${MAXIMUM_DEPTH} levels of nesting`);
    switch (this.peek()) {
      case OPEN_OBJECT:
        this.readObject('an object', () => this.skipValue(depth + 1));
        return;
      case OPEN_ARRAY:
        this.readArray('an array', () => this.skipValue(depth + 1));
        return;
      case QUOTE:
        this.#skipString();
        return;
      default:
        if (!this.#skipWord()) this.readNumber('a JSON value');
    }
  }

  /** The token is valid until the next one is read. */
  readNumber(expected: string): NumberToken {
    this.peek();
    if (!this.#token.read(this.position)) this.fail(expected);
    this.position = this.#token.end;
    return this.#token;
  }

  #skipWord(): boolean {
    return this.takeWord('true') || this.takeWord('false') || this.takeWord('null');
  }

  /** Moves behind the closing quote; tells whether the string has escapes. */
  #skipString(): boolean {
    const bytes = this.#bytes;
    let hasEscapes = false;
    for (let at = this.position + 1; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.position = at + 1;
        return hasEscapes;
      }
      if (byte < 0x20) this.#failAt(at, 'control characters in strings to be escaped');
      if (byte === BACKSLASH) {
        hasEscapes = true;
        at += this.#escapeLength(at + 1);
      }
    }
    return this.#failAt(bytes.length, 'the end of a string');
  }

  #escapeLength(at: number): number {
    const byte = this.#bytes[at] ?? 0;
    if (simpleEscapes.has(byte)) return 1;
    if (byte === LETTER_U && /^[0-9a-f]{4}$/iu.test(this.text(at + 1, at + 5))) return 5;
    return this.#failAt(at, 'an escape that JSON knows');
  }

  #failAt(position: number, expected: string): never {
    this.position = position;
    this.fail(expected);
  }

  #take(byte: number, expected: string): void {
    if (this.peek() !== byte) this.fail(expected);
    this.position++;
  }

  #takeIf(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.position++;
    return true;
  }
}
