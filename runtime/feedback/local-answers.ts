import type { WaitingAnswer, WaitingAnswers } from './waiting-answers.ts';

interface Limits {
  readonly mostKept: number;
  readonly keptMs: number;
}

interface Entry {
  readonly answer: WaitingAnswer;
  readonly keptUntilMs: number;
}

/** The latest answers of this process. */
export class LocalAnswers implements WaitingAnswers {
  readonly #limits: Limits;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  keep(requestId: string, answer: WaitingAnswer): void {
    this.#entries.delete(requestId);
    this.#entries.set(requestId, { answer, keptUntilMs: this.#now() + this.#limits.keptMs });
    if (this.#entries.size > this.#limits.mostKept) this.#dropOldest();
  }

  find(requestId: string): Promise<WaitingAnswer | undefined> {
    const entry = this.#entries.get(requestId);
    return Promise.resolve(entry === undefined || entry.keptUntilMs < this.#now() ? undefined : entry.answer);
  }

  take(requestId: string): Promise<WaitingAnswer | undefined> {
    const found = this.find(requestId);
    this.#entries.delete(requestId);
    return found;
  }

  close(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
