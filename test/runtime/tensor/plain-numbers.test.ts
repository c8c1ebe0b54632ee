import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainNumbers } from '../../../runtime/tensor/plain-numbers.ts';

interface Read {
  readonly values: readonly number[];
  /** What is left for the general way. */
  readonly rest: string;
}

function readSingles(text: string, room = 10): Read {
  const bytes = Buffer.from(text);
  const numbers = new PlainNumbers(bytes);
  const data = new Float32Array(room);
  const count = numbers.read(data, 0, room);
  return { values: [...data.subarray(0, count)], rest: bytes.toString('utf8', numbers.position) };
}

function readDoubles(text: string, room = 10): Read {
  const bytes = Buffer.from(text);
  const numbers = new PlainNumbers(bytes);
  const data = new Float64Array(room);
  const count = numbers.read(data, 0, room);
  return { values: [...data.subarray(0, count)], rest: bytes.toString('utf8', numbers.position) };
}

describe('plain numbers', () => {
  it('are read up to the last one, which no comma follows', () => {
    expect(readDoubles('1,-2.5, 0.125,3]')).toEqual({ values: [1, -2.5, 0.125], rest: '3]' });
    expect(readSingles('1,-2.5, 0.125,3]')).toEqual({ values: [1, -2.5, 0.125], rest: '3]' });
  });

  it('keep the sign of zero', () => {
    expect(readSingles('-0,-0.0,0,1').values).toEqual([-0, -0, 0]);
  });

  it.each([
    ['an exponent', '1e5,2'],
    ['a zero in front', '01,2'],
    ['a dot and nothing behind it', '1.,2'],
    ['a dot and nothing before it', '.5,2'],
    ['a sign alone', '-,2'],
    ['two signs', '--1,2'],
    ['a plus sign', '+1,2'],
    ['white space before the comma', '1 ,2'],
    ['a word', 'NaN,2'],
    ['a text', '"1",2'],
    ['more whole digits than are exact', '1234567890123456,2'],
    ['a dot alone behind fifteen digits', '123456789012345.,2'],
    ['nothing', ''],
    ['a number at the end of the text', '1'],
  ])('end before %s', (_, text) => {
    expect(readSingles(`7,${text}`)).toEqual({ values: [7], rest: text });
    expect(readDoubles(`7,${text}`)).toEqual({ values: [7], rest: text });
  });

  it('end behind a comma with two blanks behind it', () => {
    expect(readSingles('7,  1,2')).toEqual({ values: [7], rest: ' 1,2' });
  });

  it('end where there is no more room', () => {
    expect(readSingles('1,2,3,4', 2)).toEqual({ values: [1, 2], rest: '3,4' });
  });

  it('of more than fifteen digits are singles where these decide, and left alone as doubles', () => {
    expect(readSingles('0.8352941274642944,1')).toEqual({ values: [Math.fround(213 / 255)], rest: '1' });
    expect(readDoubles('0.8352941274642944,1')).toEqual({ values: [], rest: '0.8352941274642944,1' });
  });

  it('are left alone where the digits that are read do not decide between two singles', () => {
    // In the middle between 1 and the next single, 1 + 2^-23; what follows would decide.
    const undecided = '1.00000005960464477539,1';
    expect(readSingles(undecided)).toEqual({ values: [], rest: undecided });
  });

  it('are the nearest singles and doubles of what was written', () => {
    const written = fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,25})?$/);
    fc.assert(
      fc.property(fc.array(written, { maxLength: 10 }), (texts) => {
        const text = `${texts.join(',')},`;
        const singles = readSingles(text).values;
        const doubles = readDoubles(text).values;
        expect(singles).toEqual(texts.slice(0, singles.length).map((number) => Math.fround(Number(number))));
        expect(doubles).toEqual(texts.slice(0, doubles.length).map(Number));
      }),
      { numRuns: 2000 },
    );
  });
});
