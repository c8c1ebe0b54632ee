/** Where items go; it may be slow, fail or hang. */
export interface Sink<Item> {
  /** Resolves when the items are taken; a rejection means that all of them are lost. */
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
  #drain: Promise<void> | undefined;
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
    this.#drain ??= this.#run();
  }

  /** Resolves when all that was put in before has been taken or lost. */
  async flush(): Promise<void> {
    await this.#drain;
  }

  /** Gives the sink so long to take the rest; what it has not taken by then is lost. */
  async close(limitMs: number): Promise<void> {
    const limit = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => limit.resolve(undefined), limitMs);
    await Promise.race([this.#finish(), limit.promise]);
    clearTimeout(timer);
  }

  async #finish(): Promise<void> {
    await this.flush();
    await this.#options.sink.close?.();
  }

  async #run(): Promise<void> {
    // What comes within one turn of the event loop goes to the sink together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#writeNext();
    this.#drain = undefined;
  }

  async #writeNext(): Promise<void> {
    const { sink, batchSize, bytesOf, onFailure } = this.#options;
    const items = this.#waiting.splice(0, batchSize);
    for (const item of items) this.#waitingBytes -= bytesOf(item);
    try {
      await sink.write(items);
      this.#written += items.length;
    } catch (error) {
      this.#droppedBySink += items.length;
      onFailure(error as Error, items.length);
    }
  }
}
