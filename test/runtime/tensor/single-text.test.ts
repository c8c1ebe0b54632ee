import { describe, expect, it } from 'vitest';
import { writeSingles } from '../../../runtime/tensor/single-text.ts';
import { Dice } from '../../support/dice.ts';

const SAMPLES = 200_000;
/** More than any decimal has behind its dot, the exponent counted in. */
const PLACES = 60;
/** Every single is a whole number of 2^-149ths, and the middle between two of them a whole number of these. */
const UNITS = 150;
/** Smaller ones, and those of a thousand million and more, are written as JavaScript writes them. */
const SMALLEST = 2 ** -126;
const LARGEST = 1e9;

/** Singles of every exponent alike, of both signs, finite. */
function singlesOfAllSizes(count: number): Float32Array {
  const dice = new Dice(7);
  const bits = Uint32Array.from(
    { length: count },
    (_, index) => (dice.below(2) * 2 ** 31 + (index % 255) * 2 ** 23 + dice.below(2 ** 23)) >>> 0,
  );
  return new Float32Array(bits.buffer);
}

/** Of the sizes that models mostly give, with few digits or many. */
function usualSingles(count: number): Float32Array {
  const dice = new Dice(8);
  return Float32Array.from({ length: count }, (_, index) => {
    const value = dice.next() * 10 ** (dice.below(20) - 11);
    return index % 2 === 0 ? value : Number(value.toPrecision(1 + dice.below(7)));
  });
}

function fewestDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    if (Math.fround(Number(value.toPrecision(digits))) === value) return digits;
  }
  return 9;
}

function digitsOf(text: string): number {
  const digits = text.replace(/e.*$/u, '').replace(/[-.]/gu, '').replace(/^0+/u, '');
  return (text.includes('.') ? digits : digits.replace(/0+$/u, '')).length;
}

/** In 2^-150ths of 10^-60ths, as both ends of the comparison are then whole. */
function asFraction(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.replace(/^-/u, '').split('e');
  const [whole = '', decimals = ''] = mantissa.split('.');
  const places = PLACES + Number(exponent) - decimals.length;
  return (BigInt(whole + decimals) * 10n ** BigInt(places)) << BigInt(UNITS);
}

/** The point in the middle between two singles, in the same unit. */
function middle(left: number, right: number): bigint {
  const scale = 2 ** (UNITS - 1);
  return (BigInt(left * scale) + BigInt(right * scale)) * 10n ** BigInt(PLACES);
}

function neighbour(value: number, step: number): number {
  const single = new Float32Array([value]);
  const bits = new Uint32Array(single.buffer);
  bits[0] = (bits[0] ?? 0) + step;
  return single[0] ?? NaN;
}

describe('singles as text', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['1', 1],
    ['0.1', 0.1],
    ['-2.5', -2.5],
    ['0.8352941', 213 / 255],
    ['0.015686275', 4 / 255],
    ['16777216', 16_777_216],
    ['123456792', 123_456_789],
    ['999999936', 999_999_940],
    ['10000000', 9_999_999.9],
    ['1000000000', 1e9],
    ['0.00001', 1e-5],
    ['0.000009999999', 9.999_999e-6],
    ['0.00000000001', 1e-11],
    ['-0.000000012345679', -1.234_567_9e-8],
    ['9.999998e-12', 9.999_998e-12],
    ['1e-12', 1e-12],
    ['-1.5e-30', -1.5e-30],
    ['6.1234565e-20', 6.123_456_5e-20],
    ['1.17549435e-38', 2 ** -126],
    ['1.1754942106924411e-38', 2 ** -126 - 2 ** -149],
    ['0.9999999', 0.999_999_9],
    ['9.999999', 9.999_999],
    ['0.001', 0.001_000_000_01],
    ['0.0010000002', 0.001_000_000_2],
    ['3.4028234663852886e+38', 3.402_823_5e38],
    ['1.401298464324817e-45', 1.4e-45],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ])('are %s for %d', (expected, value) => {
    expect(writeSingles(Float32Array.of(value))).toBe(expected);
  });

  it.each([
    ['of all sizes', singlesOfAllSizes(SAMPLES)],
    ['of the usual sizes', usualSingles(SAMPLES)],
  ])('%s read back as the very same, bit by bit', (_, singles) => {
    const texts = writeSingles(singles).split(',');
    const readBack = Float32Array.from(texts, Number);
    expect(Buffer.from(readBack.buffer).equals(Buffer.from(singles.buffer))).toBe(true);
  });

  it('have no more digits than tell them from all other singles, or seven; whole numbers are in full', () => {
    const singles = [...usualSingles(SAMPLES / 4), ...singlesOfAllSizes(SAMPLES / 4)].filter(
      (value) => value > SMALLEST && value < 1e7,
    );
    const tooLong = writeSingles(Float32Array.from(singles))
      .split(',')
      .filter((text, index) => digitsOf(text) > Math.max(7, fewestDigits(singles[index] ?? 0)));
    // Where a shorter one lies at the very edge of what means the single, the next longer is taken.
    expect(tooLong.length).toBeLessThan(singles.length / 500);
  });

  it('mean the same to a reader that rounds once and to one that goes through a double', () => {
    const singles = [...usualSingles(SAMPLES / 4), ...singlesOfAllSizes(SAMPLES / 4)].filter(
      (value) => value > SMALLEST && value < LARGEST,
    );
    const texts = writeSingles(Float32Array.from(singles)).split(',');
    const wrong = texts.filter((text, index) => {
      const value = singles[index] ?? 0;
      const written = asFraction(text);
      return written <= middle(neighbour(value, -1), value) || written >= middle(value, neighbour(value, 1));
    });
    expect(wrong).toEqual([]);
  });

  it('have commas between them, however many they are', () => {
    const singles = Float32Array.from({ length: 5000 }, (_, index) => index);
    expect(writeSingles(singles)).toBe(Array.from(singles).join(','));
    expect(writeSingles(new Float32Array(0))).toBe('');
  });
});
