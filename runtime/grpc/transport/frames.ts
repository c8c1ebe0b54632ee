import { Gathering, isWorthGathering } from '../../body/gathering.ts';
import { RequestError } from '../../errors.ts';
import { MemoryBlocks } from '../../memory/blocks.ts';
import { youngMemory } from '../../memory/young.ts';

/** A message as it travels: one byte that says whether it is compressed, four for its length, then itself. */
export interface Frame {
  readonly isCompressed: boolean;
  /** The message. */
  readonly bytes: Buffer;
  /** What the message lies in, where it has it for itself. */
  readonly block?: ArrayBuffer;
}

const PREFIX_BYTES = 5;
const NOTHING = Buffer.alloc(0);

/** Cuts what arrives into messages; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export class FrameReader {
  readonly #checkSize: (messageBytes: number) => void;
  readonly #blocks: MemoryBlocks;
  /** A large message of which a part has come. */
  #gathering: Gathering | undefined;
  #chunks: Buffer[] = [];
  #available = 0;
  /** Of the message that is coming in; undefined: its prefix is yet to come. */
  #prefix: { readonly isCompressed: boolean; readonly length: number } | undefined;

  /** `checkSize` is asked before the first byte of a message is kept, and throws. */
  constructor(checkSize: (messageBytes: number) => void, blocks = new MemoryBlocks()) {
    this.#checkSize = checkSize;
    this.#blocks = blocks;
  }

  /** Whether part of a message has come and the rest has not. */
  get isWithinFrame(): boolean {
    return this.#available > 0 || this.#prefix !== undefined;
  }

  /** Throws RequestError for what cannot be a message. */
  push(chunk: Buffer): Frame[] {
    const rest = this.#gathering?.add(chunk) ?? chunk;
    if (rest.length > 0) this.#chunks.push(rest);
    this.#available += rest.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    this.#prefix ??= this.#readPrefix();
    if (this.#prefix === undefined) return undefined;
    const { isCompressed, length } = this.#prefix;
    const gathering = this.#gather(length);
    if (gathering === undefined ? this.#available < length : !gathering.isComplete) return undefined;
    this.#prefix = undefined;
    this.#gathering = undefined;
    if (gathering === undefined) return { isCompressed, bytes: this.#take(length) };
    return { isCompressed, bytes: gathering.bytes, block: gathering.block };
  }

  /** Undefined for a message that is all there, or not worth it. */
  #gather(length: number): Gathering | undefined {
    const isAllThere = this.#available >= length;
    if (this.#gathering !== undefined || isAllThere) return this.#gathering;
    if (!isWorthGathering(length, this.#available)) return undefined;
    // Raw contents are the last field of a request: with one input, they end where the message does.
    this.#gathering = new Gathering(this.#blocks, length, length);
    // Less than the message is here, so all of it belongs to it.
    for (const chunk of this.#chunks) this.#gathering.add(chunk);
    this.#chunks = [];
    this.#available = 0;
    return this.#gathering;
  }

  #readPrefix(): { isCompressed: boolean; length: number } | undefined {
    if (this.#available < PREFIX_BYTES) return undefined;
    const prefix = this.#take(PREFIX_BYTES);
    const flag = prefix.readUInt8(0);
    if (flag > 1)
      throw new RequestError('MalformedRequest', `expected 0 or 1 in front of a message, got ${flag}`);
    const length = prefix.readUInt32BE(1);
    this.#checkSize(length);
    return { isCompressed: flag === 1, length };
  }

  #take(length: number): Buffer {
    const [first] = this.#chunks;
    const isOnePiece = first !== undefined && first.length >= length;
    const all = isOnePiece ? first : Buffer.concat(this.#chunks);
    const rest = all.subarray(length);
    this.#chunks.splice(0, isOnePiece ? 1 : this.#chunks.length, ...(rest.length > 0 ? [rest] : []));
    this.#available -= length;
    return all.subarray(0, length);
  }
}

/** What stands in front of a message of so many bytes, and the first of its pieces. */
function writeStart(first: Buffer, messageBytes: number, isCompressed: boolean): Buffer {
  const start = Buffer.allocUnsafe(PREFIX_BYTES + first.length);
  youngMemory.take(start.length);
  start.writeUInt8(isCompressed ? 1 : 0, 0);
  start.writeUInt32BE(messageBytes, 1);
  first.copy(start, PREFIX_BYTES);
  return start;
}

export function writeFrame(message: Buffer, isCompressed: boolean): Buffer {
  return writeStart(message, message.length, isCompressed);
}

/** A message that is in pieces and not compressed; all but the first are used as they are. */
export function writeFrameOf(pieces: readonly Buffer[]): readonly Buffer[] {
  const [first = NOTHING, ...others] = pieces;
  const messageBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return [writeStart(first, messageBytes, false), ...others];
}
