import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LARGE_BYTES, PieceWriter } from '../../../runtime/executor/piece-writer.ts';

type Write = (writer: PieceWriter) => void;

interface Step {
  readonly write: Write;
  readonly expected: Buffer;
}

function numberBytes(bytes: number, fill: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  fill(buffer);
  return buffer;
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.nat({ max: 2 ** 32 - 1 }).map((value) => ({
    write: (writer: PieceWriter) => writer.u32(value),
    expected: numberBytes(4, (buffer) => buffer.writeUInt32LE(value)),
  })),
  fc.double().map((value) => ({
    write: (writer: PieceWriter) => writer.f64(value),
    expected: numberBytes(8, (buffer) => buffer.writeDoubleLE(value)),
  })),
  fc.string({ unit: 'grapheme', maxLength: 2000 }).map((text) => ({
    write: (writer: PieceWriter) => writer.text(text),
    expected: Buffer.concat([
      numberBytes(4, (buffer) => buffer.writeUInt32LE(Buffer.byteLength(text))),
      Buffer.from(text),
    ]),
  })),
  fc.constantFrom(0, 1, 700, 5000, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1).map((length) => {
    const bytes = Buffer.alloc(length, length % 251);
    return { write: (writer: PieceWriter) => writer.bytes(bytes), expected: bytes };
  }),
);

describe('a writer of pieces', () => {
  it('puts everything one behind the other, behind what is reserved', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 30 }), fc.nat({ max: 20 }), (written, reservedBytes) => {
        const writer = new PieceWriter(reservedBytes);
        for (const { write } of written) write(writer);
        const expected = Buffer.concat(written.map((step) => step.expected));
        expect(writer.position).toBe(expected.length);
        const pieces = Buffer.concat(writer.finish());
        expect(pieces.length).toBe(reservedBytes + expected.length);
        expect(pieces.subarray(reservedBytes).equals(expected)).toBe(true);
      }),
    );
  });

  it('makes one piece of all that is small, and none of its own of what is large', () => {
    const large = Buffer.alloc(LARGE_BYTES, 1);
    const writer = new PieceWriter(12);
    for (let index = 0; index < 1000; index++) writer.u32(index);
    writer.bytes(large);
    writer.text('behind it');
    const pieces = writer.finish();
    expect(pieces.map(({ length }) => length)).toEqual([4012, LARGE_BYTES, 13]);
    expect(pieces[1]).toBe(large);
  });

  it('begins numbers at a multiple of eight of what is not reserved, with zeros before them', () => {
    const lengths = fc.nat({ max: 40 });
    fc.assert(
      fc.property(lengths, fc.array(lengths, { minLength: 1, maxLength: 3 }), (before, partLengths) => {
        const writer = new PieceWriter(12);
        writer.bytes(Buffer.alloc(before, 7));
        writer.aligned(partLengths.map((length) => Buffer.alloc(length, 9)));
        const payload = Buffer.concat(writer.finish()).subarray(12);
        const bytes = partLengths.reduce((sum, length) => sum + length, 0);
        expect(payload.readUInt32LE(before)).toBe(bytes);
        const start = payload.length - bytes;
        expect(start % 8).toBe(0);
        expect(start).toBe(8 * Math.ceil((before + 4) / 8));
        expect(payload.subarray(before + 4, start).every((byte) => byte === 0)).toBe(true);
        expect(payload.subarray(start).every((byte) => byte === 9)).toBe(true);
      }),
    );
  });
});
