import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, frameKinds } from '../../../runtime/executor/frame.ts';

const frame = fc.record({
  kind: fc.constantFrom(...frameKinds),
  request: fc.nat({ max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
/** So large that no copy is made of it. */
const LARGE_BYTES = 20_000;

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let position = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(position, position + size));
    position += size;
  }
  return [...pieces, bytes.subarray(position)];
}

describe('the frames between the two processes', () => {
  it('come out as they went in, wherever the stream is cut', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(frame), sizes, (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap(({ kind, request, payload }) => encodeFrame(kind, request, [payload])),
        );
        const decoder = new FrameDecoder();
        expect(cut(stream, cuts).flatMap((piece) => decoder.push(piece))).toEqual(frames);
      }),
      { numRuns: 1000 },
    );
  });

  it('hold large pieces of a payload where they are, among small ones in their order', () => {
    const sizes = fc.array(fc.constantFrom(0, 3, LARGE_BYTES), { maxLength: 6 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const pieces = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const encoded = encodeFrame('run', 7, pieces);
        const [decoded] = new FrameDecoder().push(Buffer.concat(encoded));
        expect(decoded?.payload).toEqual(Buffer.concat(pieces));
        for (const piece of pieces) if (piece.length === LARGE_BYTES) expect(encoded).toContain(piece);
      }),
    );
  });

  it('are refused when their kind is unknown', () => {
    const bytes = Buffer.concat(encodeFrame('run', 1, []));
    bytes.writeUInt8(frameKinds.length, 4);
    expect(() => new FrameDecoder().push(bytes)).toThrow('frame of unknown kind 7');
  });
});
