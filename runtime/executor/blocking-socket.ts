import { readSync, writevSync } from 'node:fs';
import { MemoryBlocks } from '../memory/blocks.ts';
import { FrameDecoder, type Frame } from './frame.ts';

/** As much as a socket holds at most, with the kernel's defaults. */
const READ_BYTES = 262_144;
/** Answers of cheap models leave together, but none waits longer than this for another. */
const LONGEST_HOLD_MS = 1;

/**
 * The executor's end of the socket pair. A process that does one thing at a time has nothing to do until the next frame
 * comes, so it waits for it in the kernel, and not in an event loop with streams: that is less code in each run's way, and
 * code is what runs of milliseconds make dear (docs/decisions/0045). Pre: the descriptor blocks, as Node hands it to a child.
 */
export class BlockingSocket {
  readonly #descriptor: number;
  readonly #blocks = new MemoryBlocks();
  readonly #decoder = new FrameDecoder(this.#blocks);
  readonly #scratch = Buffer.allocUnsafeSlow(READ_BYTES);
  #held: Buffer[] = [];
  #heldSinceMs = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Sends what is held, then waits for at least one whole frame. Undefined: the other end has closed. */
  read(): Frame[] | undefined {
    this.flush();
    for (;;) {
      const room = this.#decoder.room ?? this.#scratch;
      const length = readSync(this.#descriptor, room);
      if (length === 0) return undefined;
      const frames = this.#take(room, length);
      if (frames.length === 0) continue;
      this.#heldSinceMs = performance.now();
      return frames;
    }
  }

  hold(frame: readonly Buffer[]): void {
    this.#held.push(...frame);
  }

  /** Throws when the other end has closed. */
  flush(): void {
    let pieces = this.#held;
    this.#held = [];
    while (pieces.length > 0) pieces = without(pieces, writevSync(this.#descriptor, pieces));
    this.#heldSinceMs = performance.now();
  }

  /** As `flush`, once something may have waited for long enough. */
  flushWhenOld(): void {
    if (performance.now() - this.#heldSinceMs >= LONGEST_HOLD_MS) this.flush();
  }

  /** Pre: nobody reads the frame any more. */
  release({ block }: Frame): void {
    if (block !== undefined) this.#blocks.giveBack(block);
  }

  #take(room: Buffer, length: number): Frame[] {
    // Large frames were read to where they are used; what is small may wait while the next bytes are read.
    if (room === this.#scratch) return this.#decoder.push(Buffer.from(room.subarray(0, length)));
    return this.#decoder.fillRoom(length);
  }
}

/** What is left of the pieces behind so many bytes. */
function without(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  return pieces.flatMap((piece) => {
    const written = Math.min(left, piece.length);
    left -= written;
    return written < piece.length ? [piece.subarray(written)] : [];
  });
}
