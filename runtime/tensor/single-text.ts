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

/** The digits of 00 to 99, two bytes each. */
const pairs = Uint8Array.from({ length: 200 }, (_, at) => {
  const number = Math.floor(at / 2);
  return ZERO + (at % 2 === 0 ? Math.floor(number / 10) : number % 10);
});

/** A sign, nine digits, at most five zeros before them, a dot and a comma, or what JavaScript writes. */
const MOST_BYTES = 32;
const VALUES_AT_ONCE = 4096;
const scratch = Buffer.allocUnsafeSlow(MOST_BYTES * VALUES_AT_ONCE);

/** Writes the last `count` digits of a whole number; gives the position behind them. */
function writeDigits(value: number, count: number, position: number): number {
  let rest = value;
  let at = position + count;
  while (at > position + 1) {
    const hundredth = (rest / 100) | 0;
    const pair = 2 * (rest - hundredth * 100);
    scratch[--at] = pairs[pair + 1] ?? 0;
    scratch[--at] = pairs[pair] ?? 0;
    rest = hundredth;
  }
  if (at > position) scratch[position] = ZERO + (rest % 10);
  return position + count;
}

function countDigits(whole: number): number {
  let count = 1;
  for (let limit = 10; whole >= limit; limit *= 10) count++;
  return count;
}

/** Writes `digits` with so many of them behind the dot, without zeros at its end. Pre: 0 < digits < 2³¹. */
function writeDecimal(digits: number, decimals: number, position: number): number {
  let rest = digits;
  let behind = decimals;
  for (let tenth = (rest / 10) | 0; behind > 0 && tenth * 10 === rest; tenth = (rest / 10) | 0) {
    rest = tenth;
    behind--;
  }
  if (behind === 0) return writeDigits(rest, countDigits(rest), position);
  const power = powers[behind] ?? 1;
  const whole = (rest / power) | 0;
  const end = writeDigits(whole, countDigits(whole), position);
  scratch[end] = DOT;
  return writeDigits(rest - whole * power, behind, end + 1);
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
    if (Math.fround(farther) === magnitude || decimals === mostDecimals)
      return writeDecimal(digits, decimals, position);
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
