/** Numbers begin at a multiple of this, as the widest of them must to be used where they lie. */
const ALIGNMENT_BYTES = 8;
/** A copy of what is smaller costs less than a system call's entry for it. */
export const LARGE_BYTES = 16_384;
/** Most messages fit. Cut from Node's pool, as what is less than half of it is. */
const FIRST_BLOCK_BYTES = 1024;

/** How many bytes to leave out so that what follows is aligned. */
export function paddingAt(position: number): number {
  return -position & (ALIGNMENT_BYTES - 1);
}

/**
 * Writes values one behind the other, small ones into one block and large ones not at all: those are left where they
 * are, as pieces of their own.
 */
export class PieceWriter {
  readonly #pieces: Buffer[] = [];
  #block = Buffer.allocUnsafe(FIRST_BLOCK_BYTES);
  /** In the block: what is no piece yet. */
  #start = 0;
  #end: number;
  #position = 0;

  /** `reservedBytes`: so few are left free at the start, for a head that is written last. */
  constructor(reservedBytes = 0) {
    this.#end = reservedBytes;
  }

  /** Bytes that were written behind what is reserved; numbers are aligned by it. */
  get position(): number {
    return this.#position;
  }

  f64(value: number): void {
    this.#makeRoom(8);
    this.#advance(this.#block.writeDoubleLE(value, this.#end));
  }

  u32(value: number): void {
    this.#makeRoom(4);
    this.#advance(this.#block.writeUInt32LE(value, this.#end));
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.u32(bytes);
    this.#makeRoom(bytes);
    this.#advance(this.#end + this.#block.write(text, this.#end));
  }

  /** As many bytes as the parts have together, aligned. */
  aligned(parts: readonly Buffer[]): void {
    this.u32(parts.reduce((sum, { length }) => sum + length, 0));
    const padding = paddingAt(this.#position);
    this.#makeRoom(padding);
    this.#block.fill(0, this.#end, this.#end + padding);
    this.#advance(this.#end + padding);
    for (const part of parts) this.bytes(part);
  }

  /** Shares memory with them where they are large. */
  bytes(bytes: Buffer): void {
    if (bytes.length < LARGE_BYTES) {
      this.#makeRoom(bytes.length);
      this.#advance(this.#end + bytes.copy(this.#block, this.#end));
      return;
    }
    this.#endPiece();
    this.#pieces.push(bytes);
    this.#position += bytes.length;
  }

  /** The first piece begins with what was reserved. */
  finish(): Buffer[] {
    this.#endPiece();
    return this.#pieces;
  }

  #advance(end: number): void {
    this.#position += end - this.#end;
    this.#end = end;
  }

  #endPiece(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#block.length) return;
    const held = this.#block.subarray(this.#start, this.#end);
    this.#block = Buffer.allocUnsafe(2 * (held.length + bytes) + FIRST_BLOCK_BYTES);
    this.#start = 0;
    this.#end = held.copy(this.#block);
  }
}
