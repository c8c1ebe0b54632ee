import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  FrameDecoder,
  frameKinds,
  type Frame,
  type FrameKind,
} from '../../../runtime/executor/frame.ts';
import { MemoryBlocks } from '../../../runtime/memory/blocks.ts';

const frame = fc.record({
  kind: fc.constantFrom(...frameKinds),
  request: fc.nat({ max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
/** So large that no copy is made of it. */
const LARGE_BYTES = 20_000;

function encodeBytes(kind: FrameKind, request: number, pieces: readonly Buffer[]): Buffer[] {
  return encodeFrame(kind, request, (payload) => {
    for (const piece of pieces) payload.bytes(piece);
  });
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let position = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(position, position + size));
    position += size;
  }
  return [...pieces, bytes.subarray(position)];
}

/** As the executor does it: into the room of the frame that has begun, if there is one. Copies, as room is used again. */
function readToRoom(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const blocks = new MemoryBlocks();
  const decoder = new FrameDecoder(blocks);
  const payloads: Buffer[] = [];
  let position = 0;
  for (let turn = 0; position < stream.length; turn++) {
    const wanted = sizes[turn % Math.max(1, sizes.length)] ?? stream.length;
    const { room } = decoder;
    const piece = stream.subarray(position, position + Math.min(wanted, room?.length ?? wanted));
    position += piece.length;
    if (room !== undefined) piece.copy(room);
    const frames = room === undefined ? decoder.push(Buffer.from(piece)) : decoder.fillRoom(piece.length);
    for (const { payload, block } of frames) {
      payloads.push(Buffer.from(payload));
      if (block !== undefined) blocks.giveBack(block);
    }
  }
  return payloads;
}

describe('the frames between the two processes', () => {
  it('come out as they went in, wherever the stream is cut', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(frame), sizes, (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap(({ kind, request, payload }) => encodeBytes(kind, request, [payload])),
        );
        const decoder = new FrameDecoder();
        expect(cut(stream, cuts).flatMap((piece) => decoder.push(piece))).toEqual(frames);
      }),
      { numRuns: 1000 },
    );
  });

  it('come out as they went in where the rest of a frame is read to where it belongs', () => {
    const large = fc.integer({ min: 0, max: 200_000 }).map((length) => Buffer.alloc(length, length % 251));
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(large, { maxLength: 5 }), sizes, (payloads, cuts) => {
        const stream = Buffer.concat(payloads.flatMap((payload) => encodeBytes('run', 1, [payload])));
        const read = readToRoom(stream, cuts);
        expect(read.length).toBe(payloads.length);
        for (const [index, payload] of payloads.entries()) expect(read[index]?.equals(payload)).toBe(true);
      }),
    );
  });

  it('lie in memory that was given back, once they are large', () => {
    const blocks = new MemoryBlocks();
    const decoder = new FrameDecoder(blocks);
    const receive = (fill: number): Frame | undefined => {
      const stream = Buffer.concat(encodeBytes('run', 1, [Buffer.alloc(100_000, fill)]));
      return cut(stream, [10]).flatMap((piece) => decoder.push(piece))[0];
    };
    const first = receive(1);
    const second = receive(2);
    expect(second?.block).not.toBe(first?.block);
    if (first?.block !== undefined) blocks.giveBack(first.block);
    const third = receive(3);
    expect(third?.block).toBe(first?.block);
    expect(second?.payload.every((byte) => byte === 2)).toBe(true);
    expect(third?.payload.every((byte) => byte === 3)).toBe(true);
  });

  it('hold large pieces of a payload where they are, among small ones in their order', () => {
    const sizes = fc.array(fc.constantFrom(0, 3, LARGE_BYTES), { maxLength: 6 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const pieces = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const encoded = encodeBytes('run', 7, pieces);
        const [decoded] = new FrameDecoder().push(Buffer.concat(encoded));
        expect(decoded?.payload.equals(Buffer.concat(pieces))).toBe(true);
        for (const piece of pieces)
          if (piece.length === LARGE_BYTES) expect(encoded.includes(piece)).toBe(true);
      }),
    );
  });

  it('are refused when their kind is unknown', () => {
    const bytes = Buffer.concat(encodeBytes('run', 1, []));
    bytes.writeUInt8(frameKinds.length, 4);
    expect(() => new FrameDecoder().push(bytes)).toThrow('frame of unknown kind 7');
  });
});
