import { youngMemory } from '../memory/young.ts';

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const EXPONENT = 0x65;
const SIGN_BIT = 31;

function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

/** Every single is told from all others by nine digits (IEEE 754-2008, §5.12.2); most need fewer. */
const MOST_DIGITS = 9;
/** The place from which on all singles are whole numbers: 10⁷ has seven zeros. */
const WHOLE_PLACE = 7;
/** Below this place numbers have an exponent: zeros up to here, and no more, are as short. */
const SMALLEST_PLACE = -11;
/** Outside of these, JavaScript's own text does: below, singles have no full precision. Magnitudes are in the order of their bits. */
const SMALLEST_BITS = bitsOf(2 ** -126);
const LARGEST_BITS = bitsOf(1e9);
const MAGNITUDE_BITS = 0x7f_ff_ff_ff;
/** A decimal this much further from the single than the one written must still mean it, for readers that round twice. */
const MARGIN = 1.001;

/** Beyond 10²² the nearest double, which is off by less than the margin many times over. */
const powers = Float64Array.from({ length: 48 }, (_, exponent) => Number(`1e${exponent}`));
/** By a single's exponent (its bits 23 to 30): the place of the first digit of the smallest number that has it. */
const firstPlaces = Int8Array.from({ length: 256 }, (_, bits) => Math.floor((bits - 127) * Math.log10(2)));
/**
 * From where on numbers with that exponent have one digit more. A single just below a power of ten may be that power in
 * decimal: 0.01 is 0.00999999977.
 */
const nextTens = Float64Array.from(firstPlaces, (place) => Math.fround(Number(`1e${place + 1}`)));
/** Half of the distance to the next single, less a little. */
const reaches = Float64Array.from({ length: 256 }, (_, bits) => 2 ** (bits - 151) / MARGIN);
/**
 * The digits of 000 to 999, the first in the lowest byte. Four digits at a time would be fewer steps, and 40 kB that a run
 * of the model has pushed out of the nearest cache each time.
 */
const triples = Int32Array.from({ length: 1000 }, (_, number) => {
  const digit = (power: number): number => ZERO + (Math.floor(number / power) % 10);
  return digit(100) | (digit(10) << 8) | (digit(1) << 16);
});

/** "0.00" and "0000", the first in the lowest byte. */
const ZERO_DOT_ZERO_ZERO = 0x30_30_2e_30;
const FOUR_ZEROS = 0x30_30_30_30;
/** Thousandths have two zeros behind the dot. */
const LAST_PLACE_OF_TWO_ZEROS = -3;

/** A sign, nine digits, at most eleven zeros before them, a dot and a comma, or what JavaScript writes. */
const MOST_BYTES = 32;
const VALUES_AT_ONCE = 4096;
const scratch = Buffer.allocUnsafeSlow(MOST_BYTES * VALUES_AT_ONCE);
const words = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);

/** And a byte behind them, with anything in it. */
function writeNine(digits: number, position: number): void {
  const first = (digits / 1_000_000) | 0;
  const others = digits - first * 1_000_000;
  const second = (others / 1000) | 0;
  words.setInt32(position, triples[first] ?? 0, true);
  words.setInt32(position + 3, triples[second] ?? 0, true);
  words.setInt32(position + 6, triples[others - second * 1000] ?? 0, true);
}

/** Writes a number of nine digits below one, the first of which stands at `place`: -1 for tenths. */
function writeFraction(digits: number, place: number, position: number): void {
  words.setInt32(position, ZERO_DOT_ZERO_ZERO, true);
  if (place < LAST_PLACE_OF_TWO_ZEROS) {
    words.setInt32(position + 4, FOUR_ZEROS, true);
    words.setInt32(position + 8, FOUR_ZEROS, true);
  }
  writeNine(digits, position + 1 - place);
}

/** Writes a number of nine digits of one or more, the first of which stands at `place`: 0 for ones, 1 for tens. */
function writeMixed(digits: number, place: number, position: number): void {
  writeNine(digits, position + 1);
  for (let at = position; at <= position + place; at++) scratch[at] = scratch[at + 1] ?? 0;
  scratch[position + place + 1] = DOT;
}

/** Zeros at the end of a number that has a dot are left out, and then the dot if nothing stands behind it. */
function trim(end: number): number {
  let trimmed = end;
  while (scratch[trimmed - 1] === ZERO) trimmed--;
  return scratch[trimmed - 1] === DOT ? trimmed - 1 : trimmed;
}

/** As JavaScript does: one digit before the dot, and an exponent, here one of two digits. */
function writeScientific(digits: number, kept: number, place: number, position: number): number {
  writeMixed(digits, 0, position);
  const end = trim(position + 1 + kept);
  const tens = (-place / 10) | 0;
  scratch[end] = EXPONENT;
  scratch[end + 1] = MINUS;
  scratch[end + 2] = ZERO + tens;
  scratch[end + 3] = ZERO - place - 10 * tens;
  return end + 4;
}

/** Writes as many of the nine digits as are kept; the others are zeros. Gives the position behind the number. */
function writeDecimal(digits: number, kept: number, place: number, position: number): number {
  if (place < SMALLEST_PLACE) return writeScientific(digits, kept, place, position);
  if (place < 0) {
    writeFraction(digits, place, position);
    return trim(position + 1 - place + kept);
  }
  writeMixed(digits, place, position);
  return trim(position + 1 + kept);
}

/**
 * Writes the fewest digits, seven or more, that mean this single and no other. Pre: its magnitude lies within the limits.
 * Of the numbers of nine digits that mean it, the nearest with two zeros at its end is taken, or with one, or with none:
 * without a branch, as which of them it is cannot be foreseen, and a wrong guess of the processor costs as much as all
 * the rest. No double goes in or out, which would be memory of its own wherever V8 leaves this a call.
 */
function writePlain(values: Float32Array, bits: number, index: number, position: number): number {
  const magnitude = Math.abs(values[index] ?? 0);
  const exponent = (bits >>> 23) & 0xff;
  const place = (firstPlaces[exponent] ?? 0) + Number(magnitude >= (nextTens[exponent] ?? 0));
  const power = powers[MOST_DIGITS - 1 - place] ?? 1;
  const nine = magnitude * power;
  // Below a power of two, which is all zeros behind its exponent, singles are twice as dense. Whole numbers are in full.
  const reach = place < WHOLE_PLACE ? (reaches[((bits - 1) >>> 23) & 0xff] ?? 0) * power : 0;
  const hundreds = ((((nine + 50) | 0) / 100) | 0) * 100;
  const tens = ((((nine + 5) | 0) / 10) | 0) * 10;
  const ones = (nine + 0.5) | 0;
  const isHundreds = Number(Math.abs(hundreds - nine) < reach);
  const isTens = Number(Math.abs(tens - nine) < reach);
  const digits = (hundreds & -isHundreds) | (((tens & -isTens) | (ones & (isTens - 1))) & (isHundreds - 1));
  scratch[position] = MINUS;
  const kept = MOST_DIGITS - isHundreds - isTens;
  return writeDecimal(digits, kept, place, position + (bits >>> SIGN_BIT));
}

/** Models give many of them. The sign is kept. */
function writeZero(bits: number, position: number): number {
  scratch[position] = MINUS;
  const end = position + (bits >>> SIGN_BIT);
  scratch[end] = ZERO;
  return end + 1;
}

/** As JavaScript does. */
function writeOther(value: number, position: number): number {
  return position + scratch.write(String(value), position, 'latin1');
}

function writeValue(values: Float32Array, bits: number, index: number, position: number): number {
  const magnitudeBits = bits & MAGNITUDE_BITS;
  if (magnitudeBits >= SMALLEST_BITS && magnitudeBits < LARGEST_BITS)
    return writePlain(values, bits, index, position);
  return magnitudeBits === 0 ? writeZero(bits, position) : writeOther(values[index] ?? 0, position);
}

/** Writes the values from `start` on to the scratch, as many as fit; gives how many bytes they took. */
function writeSome(all: Float32Array, start: number): number {
  const values = all.subarray(start, start + VALUES_AT_ONCE);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let position = 0;
  for (let index = 0; index < values.length; index++) {
    if (start + index > 0) scratch[position++] = COMMA;
    position = writeValue(values, bits[index] ?? 0, index, position);
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
  for (let start = 0; start < values.length; start += VALUES_AT_ONCE) {
    const piece = Buffer.from(scratch.subarray(0, writeSome(values, start)));
    youngMemory.take(piece.length);
    pieces.push(piece);
  }
  return pieces;
}
