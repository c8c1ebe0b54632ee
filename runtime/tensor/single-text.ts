import { exactPowersOfTen } from './plain-numbers.ts';

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

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

/** A sign, nine digits, at most five zeros before them, a dot and a comma, or what JavaScript writes. */
const MOST_BYTES = 32;
const VALUES_AT_ONCE = 1024;
const scratch = Buffer.allocUnsafeSlow(MOST_BYTES * VALUES_AT_ONCE);

interface Decimal {
  digits: number;
  /** How many of the digits stand behind the dot. */
  decimals: number;
}

/** The fewest digits, seven or more, that mean this single and no other. Pre: SMALLEST ≤ magnitude < LARGEST. */
function shorten(magnitude: number, bits: number, decimal: Decimal): void {
  const exponent = (bits >>> 23) & 0xff;
  const place = (firstPlaces[exponent] ?? 0) + (magnitude >= (nextTens[exponent] ?? 0) ? 1 : 0);
  for (let digitCount = FEWEST_DIGITS; ; digitCount++) {
    const decimals = Math.max(0, digitCount - 1 - place);
    const power = powers[decimals] ?? 1;
    const digits = Math.round(magnitude * power);
    const farther = magnitude + (digits / power - magnitude) * MARGIN;
    if (Math.fround(farther) === magnitude || digitCount === MOST_DIGITS) {
      decimal.digits = digits;
      decimal.decimals = decimals;
      return;
    }
  }
}

function dropZeros(decimal: Decimal): void {
  while (decimal.decimals > 0 && decimal.digits % 10 === 0) {
    decimal.digits /= 10;
    decimal.decimals--;
  }
}

/** Writes the last `count` digits of a whole number; gives the position behind them. */
function writeDigits(value: number, count: number, position: number): number {
  let rest = value | 0;
  for (let at = position + count - 1; at >= position; at--) {
    const tenth = (rest / 10) | 0;
    scratch[at] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return position + count;
}

function countDigits(whole: number): number {
  let count = 1;
  for (let limit = 10; whole >= limit; limit *= 10) count++;
  return count;
}

function writeDecimal({ digits, decimals }: Decimal, position: number): number {
  const whole = Math.floor(digits / (powers[decimals] ?? 1));
  const end = writeDigits(whole, countDigits(whole), position);
  if (decimals === 0) return end;
  scratch[end] = DOT;
  return writeDigits(digits, decimals, end + 1);
}

/** Writes at most VALUES_AT_ONCE values. */
function writeSome(values: Float32Array): string {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const decimal: Decimal = { digits: 0, decimals: 0 };
  let position = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    const magnitude = Math.abs(value);
    if (index > 0) scratch[position++] = COMMA;
    // Zero has a sign too.
    if (value < 0 || Object.is(value, -0)) scratch[position++] = MINUS;
    if (magnitude >= SMALLEST && magnitude < LARGEST) {
      shorten(magnitude, bits[index] ?? 0, decimal);
      dropZeros(decimal);
      position = writeDecimal(decimal, position);
    } else {
      position += scratch.write(String(magnitude), position, 'latin1');
    }
  }
  return scratch.toString('latin1', 0, position);
}

/**
 * Singles as short decimals with commas between them. JavaScript's own texts are those of doubles, of which a single has
 * up to seventeen digits: twice the bytes, and several times the time.
 */
export function writeSingles(values: Float32Array): string {
  let text = '';
  for (let start = 0; start < values.length; start += VALUES_AT_ONCE) {
    if (start > 0) text += ',';
    text += writeSome(values.subarray(start, start + VALUES_AT_ONCE));
  }
  return text;
}
