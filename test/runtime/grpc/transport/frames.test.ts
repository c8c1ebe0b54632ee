import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../../runtime/errors.ts';
import { FrameReader, writeFrame } from '../../../../runtime/grpc/transport/frames.ts';

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
        expect(read.map(({ message, isCompressed }) => ({ message: [...message], isCompressed }))).toEqual(
          frames.map(({ message, isCompressed }) => ({ message: [...message], isCompressed })),
        );
        expect(reader.isWithinFrame).toBe(false);
      }),
    );
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
