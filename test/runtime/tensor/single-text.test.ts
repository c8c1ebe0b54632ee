import { describe, expect, it } from 'vitest';
import { writeSingles } from '../../../runtime/tensor/single-text.ts';
import { Dice } from '../../support/dice.ts';

const SAMPLES = 200_000;
/** More than any plain decimal has behind its dot. */
const PLACES = 20;
/** What is smaller is written with an exponent. */
const SMALLEST_PLAIN = 1e-11;

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

/** Twice the plain decimal of at most 20 places, as a whole number of 2^-60ths of 10^-20ths. */
function asFraction(text: string): bigint {
  const [whole = '', decimals = ''] = text.replace('-', '').split('.');
  return BigInt(whole + decimals.padEnd(PLACES, '0')) << 61n;
}

/** Twice the point in the middle between two singles, in the same unit. */
function middle(left: number, right: number): bigint {
  const scale = 2 ** 60;
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
    ['9.999998225318496e-12', 9.999_998e-12],
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
    const singles = usualSingles(SAMPLES / 4).filter((value) => value > SMALLEST_PLAIN && value < 1e7);
    const tooLong = writeSingles(singles)
      .split(',')
      .filter((text, index) => digitsOf(text) > Math.max(7, fewestDigits(singles[index] ?? 0)));
    // Where a shorter one lies at the very edge of what means the single, the next longer is taken.
    expect(tooLong.length).toBeLessThan(singles.length / 500);
  });

  it('mean the same to a reader that rounds once and to one that goes through a double', () => {
    const singles = usualSingles(SAMPLES / 4).filter((value) => value > SMALLEST_PLAIN);
    const texts = writeSingles(singles).split(',');
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
