import type { Labels, Sample, ScrapedMetric } from '../metrics/scraped.ts';
import type { Tensor, TensorData } from '../tensor/datatype.ts';
import type { AnswerStore } from './answer-store.ts';

export interface MemoryLimits {
  readonly maxBytes: number;
  readonly ttlMs: number;
}

interface Entry {
  readonly outputs: readonly Tensor[];
  readonly bytes: number;
  readonly expiresAtMs: number;
}

/** Of an entry beside its data: key, map, names and shapes. */
const ENTRY_BYTES = 400;
const TEXT_BYTES = 48;

function bytesOf(data: TensorData): number {
  if (!Array.isArray(data)) return data.byteLength;
  return data.reduce((sum, text) => sum + TEXT_BYTES + 2 * text.length, 0);
}

/** Answers of a batch share memory; one that is kept must not keep the others. */
function ownCopy(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() };
}

/** The answers used last, up to so many bytes and so old. */
export class MemoryStore implements AnswerStore {
  readonly #limits: MemoryLimits;
  readonly #now: () => number;
  /** The one used last is the last. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #evictions = 0;

  constructor(limits: MemoryLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get(key: string): Promise<readonly Tensor[] | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return Promise.resolve(undefined);
    this.#delete(key, entry);
    if (entry.expiresAtMs <= this.#now()) return Promise.resolve(undefined);
    this.#add(key, entry);
    return Promise.resolve(entry.outputs);
  }

  set(key: string, outputs: readonly Tensor[]): void {
    const bytes = outputs.reduce((sum, { data }) => sum + bytesOf(data), ENTRY_BYTES);
    const known = this.#entries.get(key);
    if (known !== undefined) this.#delete(key, known);
    if (bytes > this.#limits.maxBytes) return;
    this.#add(key, { outputs: outputs.map(ownCopy), bytes, expiresAtMs: this.#now() + this.#limits.ttlMs });
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#limits.maxBytes) return;
      this.#delete(oldest, entry);
      this.#evictions++;
    }
  }

  scraped(labels: Labels): readonly ScrapedMetric[] {
    const one = (value: number): Sample[] => [{ labels, value }];
    return [
      {
        name: 'headgate_cache_entries',
        help: 'Answers in the cache.',
        type: 'gauge',
        read: () => one(this.#entries.size),
      },
      {
        name: 'headgate_cache_bytes',
        help: 'Memory that the answers in the cache take.',
        type: 'gauge',
        read: () => one(this.#bytes),
      },
      {
        name: 'headgate_cache_evictions_total',
        help: 'Answers that were thrown out for room, before they were too old.',
        type: 'counter',
        read: () => one(this.#evictions),
      },
    ];
  }

  close(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
