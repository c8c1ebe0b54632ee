import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../runtime/errors.ts';
import { wireTypes, WireReader } from '../../../runtime/protobuf/wire-reader.ts';
import { LARGE_BYTES, WireWriter } from '../../../runtime/protobuf/wire-writer.ts';

/** Writes the values as one list and reads them one by one. */
function throughTheWire<T>(values: readonly (number | bigint)[], read: (reader: WireReader) => T): T[] {
  const found: T[] = [];
  new WireReader(new WireWriter().packed(1, values).finish()).readFields({
    1: (reader) => {
      for (const list = reader.message(); !list.isAtEnd;) found.push(read(list));
    },
  });
  return found;
}

function failureOf(bytes: readonly number[], read: (reader: WireReader) => void): string {
  try {
    read(new WireReader(Buffer.from(bytes)));
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).reason).toBe('MalformedRequest');
    return (error as RequestError).message;
  }
  return 'nothing';
}

const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const anyUint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("Protocol Buffers' wire format", () => {
  it('reads back whatever it wrote: any 64-bit number exactly', () => {
    fc.assert(
      fc.property(fc.array(anyInt64), fc.array(anyUint64), (signed, unsigned) => {
        expect(throughTheWire(signed, (reader) => reader.int64())).toEqual(signed);
        expect(throughTheWire(unsigned, (reader) => reader.uint64())).toEqual(unsigned);
      }),
    );
  });

  it('reads back whatever it wrote: any 32-bit number', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.array(fc.nat(2 ** 32 - 1)), (signed, unsigned) => {
        expect(throughTheWire(signed, (reader) => reader.int32())).toEqual(signed);
        expect(throughTheWire(unsigned, (reader) => reader.truncatedUint32())).toEqual(unsigned);
      }),
    );
  });

  it('reads back whatever it wrote: texts, doubles and messages in messages', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, fc.double(), (name, number) => {
        const bytes = new WireWriter()
          .message(7, (inner) => inner.bytes(1, Buffer.from(name)).double(2, number))
          .finish();
        const found: unknown[] = [];
        new WireReader(bytes).readFields({
          7: (reader) =>
            reader.message().readFields({
              1: (inner) => found.push(inner.string('name')),
              2: (inner) => found.push(inner.double()),
            }),
        });
        expect(found).toEqual([name, number]);
      }),
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])(
    'reads back a message of %i bytes within another, and what stands behind it',
    (length) => {
      const value = Buffer.alloc(length, 0xa5);
      const bytes = new WireWriter()
        .message(1, (outer) => outer.message(2, (inner) => inner.bytes(3, value)).string(4, 'näher'))
        .packed(5, [])
        .packed(6, [300])
        .finish();
      const found: unknown[] = [];
      new WireReader(bytes).readFieldsInto(found, {
        1: (reader, _, list) =>
          reader.message().readFieldsInto(list, {
            2: (inner) =>
              inner.message().readFieldsInto(list, { 3: (field) => list.push(field.bytes().equals(value)) }),
            4: (inner) => list.push(inner.string('a text')),
          }),
        5: (_, __, list) => list.push('an empty list'),
        6: (reader, _, list) => list.push(reader.message().uint32('a number')),
      });
      expect(found).toEqual([true, 'näher', 300]);
    },
  );

  it('writes the same whether it shares memory or not, and shares what is large', () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 300, LARGE_BYTES - 1, LARGE_BYTES, 50_000), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const values: readonly Buffer[] = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const [copying, sharing] = [new WireWriter().string(1, 'head'), new WireWriter().string(1, 'head')];
        for (const value of values) {
          copying.bytes(2, value).uint(3, 7);
          sharing.shared(2, value).uint(3, 7);
        }
        const pieces = sharing.finishPieces();
        expect(Buffer.concat(pieces).equals(copying.finish())).toBe(true);
        expect(pieces.filter((piece) => values.includes(piece))).toEqual(
          values.filter(({ length }) => length >= LARGE_BYTES),
        );
      }),
    );
  });

  it('leaves out fields that it does not know, of every kind', () => {
    const bytes = new WireWriter().uint(90, 300).double(91, 1).string(92, 'text').uint(1, 5).finish();
    const single = Buffer.from([(93 << 3) | 5, 0x05, 1, 2, 3, 4]);
    let found = 0;
    new WireReader(Buffer.concat([single, bytes])).readFields({
      1: (reader) => (found = reader.uint32('a count')),
    });
    expect(found).toBe(5);
  });

  it.each<[string, readonly number[], (reader: WireReader) => void, RegExp]>([
    ['a text longer than the message', [200, 1, 65], (reader) => reader.string('name'), /ends at byte 3/],
    ['a number without an end', [0x80, 0x80], (reader) => reader.int64(), /within a number/],
    ['a number of eleven bytes', Array<number>(11).fill(0x80), (reader) => reader.int64(), /longer than 10/],
    ['a length beyond 32 bits', [255, 255, 255, 255, 255, 1], (reader) => reader.bytes(), /beyond 32 bits/],
    ['a group', [(1 << 3) | 3], (reader) => reader.readFields({}), /wire type 3/],
    ['a text that is no UTF-8', [1, 0xff], (reader) => reader.string('name'), /name is not UTF-8/],
    ['half a double', [1, 2, 3], (reader) => reader.double(), /within a value of 8 bytes/],
    [
      'another kind of value',
      [8, 1],
      (reader) => reader.readFields({ 1: (inner, type) => inner.expect(type, wireTypes.bytes, 'id') }),
      /expected wire type 2 for id, got 0/,
    ],
  ])('refuses %s', (_what, bytes, read, words) => {
    expect(failureOf(bytes, read)).toMatch(words);
  });

  it('ends in an answer or a refusal for any bytes whatever', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const read = (reader: WireReader): void =>
          reader.readFields({ 1: (inner) => inner.message(), 2: (inner) => inner.int64() });
        expect(failureOf([...bytes], read)).toMatch(/^nothing$|^the message is no valid/);
      }),
    );
  });
});
