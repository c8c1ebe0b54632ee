import { exactPowersOfTen } from './plain-numbers.ts';

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const SIGN_BIT = 31;

/** Every single is told from all others by nine digits (IEEE 754-2008, §5.12.2); most need fewer. */
const FEWEST_DIGITS = 7;
const MOST_DIGITS = 9;
/** Outside of these, JavaScript's own text does. */
const SMALLEST = Math.fround(1e-5);
const LARGEST = 1e9;
/** A decimal this much further from the single than the one written must still mean it, for readers that round twice. */
const MARGIN = 1.001;

const powers = Float64Array.from(exactPowersOfTen);
/** By a single's exponent (its bits 23 to 30): the place of the first digit of the smallest number that has it. */
const firstPlaces = Int8Array.from({ length: 256 }, (_, bits) => Math.floor((bits - 127) * Math.log10(2)));
/** From where on numbers with that exponent have one digit more. */
const nextTens = Float64Array.from(firstPlaces, (place) => Number(`1e${place + 1}`));

/** 1 to 10⁹. */
const wholePowers = Int32Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
/** The digits of 0000 to 9999, the first in the lowest byte. Made by arithmetic: this is a part of every start. */
const quads = Uint32Array.from({ length: 10_000 }, (_, number) => {
  const digit = (power: number): number => ZERO + (Math.floor(number / power) % 10);
  return digit(1000) | (digit(100) << 8) | (digit(10) << 16) | (digit(1) << 24);
});

/** A sign, nine digits, at most five zeros before them, a dot and a comma, or what JavaScript writes. */
const MOST_BYTES = 32;
const VALUES_AT_ONCE = 4096;
const scratch = Buffer.allocUnsafeSlow(MOST_BYTES * VALUES_AT_ONCE);
const words = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);

/** Writes the digits, zeros behind them up to the ninth. Pre: digits has `count` digits. */
function writeNine(digits: number, count: number, position: number): void {
  const nine = digits * (wholePowers[MOST_DIGITS - count] ?? 0);
  const first = (nine / 100_000_000) | 0;
  const others = nine - first * 100_000_000;
  const high = (others / 10_000) | 0;
  scratch[position] = ZERO + first;
  words.setUint32(position + 1, quads[high] ?? 0, true);
  words.setUint32(position + 5, quads[others - high * 10_000] ?? 0, true);
}

/**
 * Writes a number of `count` digits, the first of which stands at `place`: 0 for ones, 1 for tens, -1 for tenths. Zeros at
 * its end are left out behind the dot. Gives the position behind it.
 */
function writeDecimal(digits: number, count: number, place: number, position: number): number {
  let kept = count;
  let rest = digits;
  const whole = place + 1;
  for (let tenth = (rest / 10) | 0; kept > whole && tenth * 10 === rest; tenth = (rest / 10) | 0) {
    rest = tenth;
    kept--;
  }
  if (place < 0) {
    let start = position;
    scratch[start++] = ZERO;
    scratch[start++] = DOT;
    for (let zeros = -1; zeros > place; zeros--) scratch[start++] = ZERO;
    writeNine(rest, kept, start);
    return start + kept;
  }
  if (kept === whole) {
    writeNine(rest, kept, position);
    return position + kept;
  }
  writeNine(rest, kept, position + 1);
  for (let at = position; at < position + whole; at++) scratch[at] = scratch[at + 1] ?? 0;
  scratch[position + whole] = DOT;
  return position + 1 + kept;
}

/** Writes the fewest digits, seven or more, that mean this single and no other. Pre: SMALLEST ≤ magnitude < LARGEST. */
function writeShortest(magnitude: number, bits: number, position: number): number {
  const exponent = (bits >>> 23) & 0xff;
  const place = (firstPlaces[exponent] ?? 0) + (magnitude >= (nextTens[exponent] ?? 0) ? 1 : 0);
  const mostDecimals = Math.max(0, MOST_DIGITS - 1 - place);
  for (let decimals = Math.max(0, FEWEST_DIGITS - 1 - place); ; decimals++) {
    const power = powers[decimals] ?? 1;
    const digits = Math.floor(magnitude * power + 0.5);
    const farther = magnitude + (digits / power - magnitude) * MARGIN;
    if (Math.fround(farther) !== magnitude && decimals < mostDecimals) continue;
    const count = place + 1 + decimals;
    // A single just below a power of ten may be that power in decimal: 0.01 is 0.00999999977.
    const more = digits >= (wholePowers[count] ?? Infinity) ? 1 : 0;
    return writeDecimal(digits, count + more, place + more, position);
  }
}

/** Writes the values from `start` on to the scratch, as many as fit; gives how many bytes they took. */
function writeSome(all: Float32Array, start: number): number {
  const values = all.subarray(start, start + VALUES_AT_ONCE);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let position = 0;
  for (let index = 0; index < values.length; index++) {
    const magnitude = Math.abs(values[index] ?? 0);
    const valueBits = bits[index] ?? 0;
    if (start + index > 0) scratch[position++] = COMMA;
    // Zero has a sign too, and NaN has none.
    if (valueBits >>> SIGN_BIT === 1 && !Number.isNaN(magnitude)) scratch[position++] = MINUS;
    position =
      magnitude >= SMALLEST && magnitude < LARGEST
        ? writeShortest(magnitude, valueBits, position)
        : position + scratch.write(String(magnitude), position, 'latin1');
  }
  return position;
}

/**
 * Singles as short decimals with commas between them. JavaScript's own texts are those of doubles, of which a single has
 * up to seventeen digits: twice the bytes, and several times the time.
 */
export function writeSingles(values: Float32Array): string {
  let text = '';
  for (let start = 0; start < values.length; start += VALUES_AT_ONCE)
    text += scratch.toString('latin1', 0, writeSome(values, start));
  return text;
}

/** The same text as bytes, in pieces: a long string would be copied four times on its way to the socket. */
export function writeSinglesAsBytes(values: Float32Array): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < values.length; start += VALUES_AT_ONCE)
    pieces.push(Buffer.from(scratch.subarray(0, writeSome(values, start))));
  return pieces;
}
