/**
 * Frames between the serving process and the executor, over one socket pair:
 *
 *   u32 length of what follows | u8 kind | u32 request | payload
 *
 * All integers little-endian. One write may carry many frames and one read half of one.
 */
export const frameKinds = ['load', 'loaded', 'ready', 'failed', 'run', 'result', 'runFailed'] as const;
export type FrameKind = (typeof frameKinds)[number];

export interface Frame {
  readonly kind: FrameKind;
  /** Which run a frame belongs to; 0 for the others. */
  readonly request: number;
  readonly payload: Buffer;
}

const LENGTH_BYTES = 4;
const HEAD_BYTES = 5;

export function encodeFrame(kind: FrameKind, request: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + HEAD_BYTES + payload.length);
  frame.writeUInt32LE(HEAD_BYTES + payload.length, 0);
  frame.writeUInt8(frameKinds.indexOf(kind), LENGTH_BYTES);
  frame.writeUInt32LE(request, LENGTH_BYTES + 1);
  payload.copy(frame, LENGTH_BYTES + HEAD_BYTES);
  return frame;
}

function decodeFrame(body: Buffer): Frame {
  const kind = frameKinds[body.readUInt8(0)];
  if (kind === undefined) throw new Error(`frame of unknown kind ${body.readUInt8(0)}`);
  return { kind, request: body.readUInt32LE(1), payload: body.subarray(HEAD_BYTES) };
}

/** Cuts a byte stream into frames; copies only frames that arrive in pieces. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #partial: Buffer | undefined;
  #filled = 0;

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let input = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = Buffer.alloc(0);
    if (this.#partial !== undefined) input = this.#fillPartial(this.#partial, input, frames);
    let position = 0;
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
    this.#partial = Buffer.allocUnsafe(length);
    this.#filled = start.copy(this.#partial);
  }

  #fillPartial(partial: Buffer, input: Buffer, frames: Frame[]): Buffer {
    const taken = input.copy(partial, this.#filled);
    this.#filled += taken;
    if (this.#filled === partial.length) {
      this.#partial = undefined;
      frames.push(decodeFrame(partial));
    }
    return input.subarray(taken);
  }
}
