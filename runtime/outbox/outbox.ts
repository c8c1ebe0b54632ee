import { setTimeout as pause } from 'node:timers/promises';

/** Some items of a write were not taken. */
export class LossError extends Error {
  readonly lost: number;

  constructor(message: string, lost: number) {
    super(message);
    this.lost = lost;
  }
}

/** Where items go; it may be slow, fail or hang. */
export interface Sink<Item> {
  /** Resolves when the items are taken; rejects with LossError, or with another error when all of them are lost. */
  write(items: readonly Item[]): Promise<void>;
  close?(): Promise<void>;
}

export interface OutboxOptions<Item> {
  readonly sink: Sink<Item>;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly bytesOf: (item: Item) => number;
  /** At most so many items go to the sink at once. */
  readonly batchSize: number;
  readonly onFailure: (error: Error, lost: number) => void;
}

export interface OutboxCounts {
  readonly written: number;
  /** Never taken in, because the sink was behind. */
  readonly droppedFull: number;
  /** Lost by the sink. */
  readonly droppedBySink: number;
}

/**
 * A bounded buffer in front of a sink. Putting something in never waits: what does not fit is dropped and counted, so
 * that answers are never slower than without.
 */
export class Outbox<Item> {
  readonly #options: OutboxOptions<Item>;
  #waiting: Item[] = [];
  #waitingBytes = 0;
  #isDraining = false;
  #accepted = 0;
  #writing: Promise<void> = Promise.resolve();
  #written = 0;
  #droppedFull = 0;
  #droppedBySink = 0;

  constructor(options: OutboxOptions<Item>) {
    this.#options = options;
  }

  get counts(): OutboxCounts {
    return {
      written: this.#written,
      droppedFull: this.#droppedFull,
      droppedBySink: this.#droppedBySink,
    };
  }

  put(item: Item): void {
    const { maxItems, maxBytes, bytesOf } = this.#options;
    const bytes = bytesOf(item);
    if (this.#waiting.length >= maxItems || this.#waitingBytes + bytes > maxBytes) {
      this.#droppedFull++;
      return;
    }
    this.#waiting.push(item);
    this.#waitingBytes += bytes;
    this.#accepted++;
    if (!this.#isDraining) void this.#run();
  }

  /** Resolves when all that was put in before has been taken or lost. */
  async flush(): Promise<void> {
    const before = this.#accepted;
    while (this.#written + this.#droppedBySink < before) {
      await nextTurn();
      await this.#writing;
    }
  }

  /** Gives the sink so long to take the rest; what it has not taken by then is lost. */
  async close(limitMs: number): Promise<void> {
    const limit = new AbortController();
    await Promise.race([this.#finish(), pause(limitMs, undefined, { signal: limit.signal })]);
    limit.abort();
  }

  async #finish(): Promise<void> {
    await this.flush();
    await this.#options.sink.close?.();
  }

  async #run(): Promise<void> {
    this.#isDraining = true;
    // What comes within one turn of the event loop goes to the sink together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      this.#writing = this.#writeNext();
      await this.#writing;
    }
    this.#isDraining = false;
  }

  async #writeNext(): Promise<void> {
    const { sink, batchSize, bytesOf, onFailure } = this.#options;
    const items = this.#waiting.splice(0, batchSize);
    for (const item of items) this.#waitingBytes -= bytesOf(item);
    try {
      await sink.write(items);
      this.#written += items.length;
    } catch (error) {
      const lost = error instanceof LossError ? error.lost : items.length;
      this.#written += items.length - lost;
      this.#droppedBySink += lost;
      onFailure(error as Error, lost);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
