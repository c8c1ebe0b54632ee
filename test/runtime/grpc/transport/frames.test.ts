import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../../runtime/errors.ts';
import {
  FrameReader,
  writeFrame,
  writeFrameOf,
  type Frame,
} from '../../../../runtime/grpc/transport/frames.ts';
import { MemoryBlocks } from '../../../../runtime/memory/blocks.ts';

const anyFrame = fc.record({ message: fc.uint8Array({ maxLength: 300 }), isCompressed: fc.boolean() });

describe('messages on their way', () => {
  it('come out as they went in, wherever the network cuts them', () => {
    fc.assert(
      fc.property(fc.array(anyFrame), fc.array(fc.integer({ min: 1, max: 50 })), (frames, cuts) => {
        let rest = Buffer.concat(
          frames.map(({ message, isCompressed }) => writeFrame(Buffer.from(message), isCompressed)),
        );
        const reader = new FrameReader(() => undefined);
        const chunks = cuts.map((length) => {
          const chunk = rest.subarray(0, length);
          rest = rest.subarray(length);
          return chunk;
        });
        const read = [...chunks, rest].flatMap((chunk) => reader.push(chunk));
        expect(read.map(({ bytes, isCompressed }) => ({ message: [...bytes], isCompressed }))).toEqual(
          frames.map(({ message, isCompressed }) => ({ message: [...message], isCompressed })),
        );
        expect(reader.isWithinFrame).toBe(false);
      }),
    );
  });

  it('are the same on the wire in pieces as in one, and all pieces but the first are used as they are', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(
      fc.property(pieces, (message) => {
        const [, ...others] = message;
        const frame = writeFrameOf(message);
        expect(Buffer.concat(frame).equals(writeFrame(Buffer.concat(message), false))).toBe(true);
        expect(frame.slice(1).every((piece, index) => piece === others[index])).toBe(true);
      }),
    );
  });

  it('come out as they went in where they are large, each in a block that it has for itself', () => {
    const large = fc.integer({ min: 0, max: 500_000 }).map((length) => Buffer.alloc(length, length % 251));
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(large, { maxLength: 4 }), sizes, (messages, cuts) => {
        const stream = Buffer.concat(messages.map((message) => writeFrame(message, false)));
        const blocks = new MemoryBlocks();
        const reader = new FrameReader(() => undefined, blocks);
        const read: Frame[] = [];
        let position = 0;
        for (let turn = 0; position < stream.length; turn++) {
          const length = cuts[turn % cuts.length] ?? 1;
          read.push(...reader.push(stream.subarray(position, position + length)));
          position += length;
        }
        expect(read).toHaveLength(messages.length);
        for (const [index, message] of messages.entries()) {
          expect(read[index]?.bytes.equals(message)).toBe(true);
        }
        const own = read.flatMap(({ block }) => block ?? []);
        expect(new Set(own).size).toBe(own.length);
        expect(reader.isWithinFrame).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('end at a multiple of eight where they are large: there the raw contents of one input end', () => {
    const reader = new FrameReader(() => undefined);
    const stream = writeFrame(Buffer.alloc(300_003), false);
    expect(reader.push(stream.subarray(0, 100_000))).toEqual([]);
    const [frame] = reader.push(stream.subarray(100_000));
    expect(((frame?.bytes.byteOffset ?? NaN) + 300_003) % 8).toBe(0);
  });

  it('are measured by what their prefix says, before any of it is kept', () => {
    const sizes: number[] = [];
    const reader = new FrameReader((bytes) => sizes.push(bytes));
    reader.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    expect(sizes).toEqual([2 ** 32 - 1]);
    expect(reader.isWithinFrame).toBe(true);
  });

  it('are refused when what is in front of them is no prefix', () => {
    const reader = new FrameReader(() => undefined);
    expect(() => reader.push(Buffer.from([2, 0, 0, 0, 0]))).toThrow(RequestError);
  });
});
