import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { WaitingAnswer, WaitingAnswers } from './waiting-answers.ts';

interface Limits {
  readonly mostKept: number;
  readonly keptMs: number;
}

interface Entry {
  readonly answer: WaitingAnswer;
  readonly keptUntilMs: number;
  /** Of its id in the ring. */
  readonly place: number;
}

/** The latest answers of this process. */
export class LocalAnswers implements WaitingAnswers {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** A ring of ids, because the oldest key of a large Map is slow to find where others have been deleted. */
  readonly #ids: string[] = [];
  #place = 0;

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  keep(requestId: string, answer: WaitingAnswer): void {
    this.#dropFrom(this.#place);
    this.#ids[this.#place] = requestId;
    const keptUntilMs = this.#now() + this.#limits.keptMs;
    this.#entries.set(requestId, { answer, keptUntilMs, place: this.#place });
    this.#place = (this.#place + 1) % this.#limits.mostKept;
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

  scraped(labels: Labels): readonly ScrapedMetric[] {
    return [
      {
        name: 'headgate_feedback_waiting',
        help: 'Answers in this process whose label has not come.',
        type: 'gauge',
        read: () => [{ labels, value: this.#entries.size }],
      },
    ];
  }

  close(): void {
    this.#entries.clear();
  }

  /** Unless the id there has come again since. */
  #dropFrom(place: number): void {
    const id = this.#ids[place];
    if (id !== undefined && this.#entries.get(id)?.place === place) this.#entries.delete(id);
  }
}
