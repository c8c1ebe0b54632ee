import { MemoryBlocks, SMALLEST_BLOCK_BYTES } from '../memory/blocks.ts';
import { PieceWriter } from './piece-writer.ts';

/**
 * Frames between the serving process and the executor, over one socket pair:
 *
 *   u32 length of what follows | u8 kind | 3 zero bytes | u32 request | payload
 *
 * All integers little-endian. Behind its length a payload begins at a multiple of eight, so that numbers in it can be
 * used where they lie. One write may carry many frames and one read half of one.
 */
export const frameKinds = ['load', 'loaded', 'ready', 'failed', 'run', 'result', 'runFailed'] as const;
export type FrameKind = (typeof frameKinds)[number];

export interface Frame {
  readonly kind: FrameKind;
  /** Which run a frame belongs to; 0 for the others. */
  readonly request: number;
  readonly payload: Buffer;
  /** What the payload lies in, where it has it for itself. */
  readonly block?: ArrayBuffer;
}

const LENGTH_BYTES = 4;
const HEAD_BYTES = 8;

/** To be written one after the other. Shares memory with large parts of the payload until they are written. */
export function encodeFrame(
  kind: FrameKind,
  request: number,
  writePayload: (payload: PieceWriter) => void,
): Buffer[] {
  const writer = new PieceWriter(LENGTH_BYTES + HEAD_BYTES);
  writePayload(writer);
  const pieces = writer.finish();
  const [head] = pieces;
  head?.writeUInt32LE(HEAD_BYTES + writer.position, 0);
  head?.writeUInt32LE(frameKinds.indexOf(kind), LENGTH_BYTES);
  head?.writeUInt32LE(request, LENGTH_BYTES + 4);
  return pieces;
}

function decodeFrame(body: Buffer): Frame {
  const kind = frameKinds[body.readUInt8(0)];
  if (kind === undefined) throw new Error(`frame of unknown kind ${body.readUInt8(0)}`);
  return { kind, request: body.readUInt32LE(4), payload: body.subarray(HEAD_BYTES) };
}

/** A frame of which a part has come. */
interface PartialFrame {
  readonly block?: ArrayBuffer;
  /** Of the frame behind its length. */
  readonly bytes: Buffer;
  filled: number;
}

/** Cuts a byte stream into frames; copies only frames that arrive in pieces. */
export class FrameDecoder {
  readonly #blocks: MemoryBlocks;
  #rest: Buffer = Buffer.alloc(0);
  #partial: PartialFrame | undefined;

  /** Large frames that arrive in pieces lie in blocks of these. */
  constructor(blocks = new MemoryBlocks()) {
    this.#blocks = blocks;
  }

  /** Where the next bytes of the stream belong, if they are part of a frame that has begun. */
  get room(): Buffer | undefined {
    return this.#partial?.bytes.subarray(this.#partial.filled);
  }

  /** So many bytes were put into `room`. */
  fillRoom(bytes: number): Frame[] {
    if (this.#partial === undefined) throw new Error('there is no room to fill');
    this.#partial.filled += bytes;
    return this.#completePartial();
  }

  push(chunk: Buffer): Frame[] {
    const { room } = this;
    if (room === undefined)
      return this.#cut(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
    const taken = chunk.copy(room);
    return [...this.fillRoom(taken), ...this.#cut(chunk.subarray(taken))];
  }

  #completePartial(): Frame[] {
    const partial = this.#partial;
    if (partial === undefined || partial.filled < partial.bytes.length) return [];
    this.#partial = undefined;
    const frame = decodeFrame(partial.bytes);
    return [partial.block === undefined ? frame : { ...frame, block: partial.block }];
  }

  #cut(input: Buffer): Frame[] {
    const frames: Frame[] = [];
    let position = 0;
    this.#rest = Buffer.alloc(0);
    while (input.length - position >= LENGTH_BYTES) {
      const length = input.readUInt32LE(position);
      const end = position + LENGTH_BYTES + length;
      if (end > input.length) {
        this.#startPartial(length, input.subarray(position + LENGTH_BYTES));
        return frames;
      }
      frames.push(decodeFrame(input.subarray(position + LENGTH_BYTES, end)));
      position = end;
    }
    this.#rest = input.subarray(position);
    return frames;
  }

  #startPartial(length: number, start: Buffer): void {
    if (length < SMALLEST_BLOCK_BYTES) {
      const bytes = Buffer.allocUnsafe(length);
      this.#partial = { bytes, filled: start.copy(bytes) };
      return;
    }
    const block = this.#blocks.take(length);
    const bytes = Buffer.from(block, 0, length);
    this.#partial = { block, bytes, filled: start.copy(bytes) };
  }
}
