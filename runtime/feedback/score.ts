import type { Judgement } from './judgement.ts';

/** What the labels said of one revision since this process started. */
export class Score {
  right = 0;
  wrong = 0;
  values = 0;
  absoluteError = 0;

  constructor(...judgements: readonly Judgement[]) {
    for (const judgement of judgements) this.add(judgement);
  }

  add(judgement: Judgement): void {
    if (judgement.kind === 'Classes') {
      this.right += judgement.right;
      this.wrong += judgement.rows - judgement.right;
      return;
    }
    this.values += judgement.rows;
    this.absoluteError += judgement.absoluteError;
  }

  /** Undefined before the first label. */
  get accuracy(): number | undefined {
    const judged = this.right + this.wrong;
    return judged === 0 ? undefined : this.right / judged;
  }

  /** Undefined before the first label. */
  get meanAbsoluteError(): number | undefined {
    return this.values === 0 ? undefined : this.absoluteError / this.values;
  }
}

/** Far more than are under way at one time. */
const MOST_REVISIONS = 16;

/** The scores of the revisions whose labels came last, and always that of this process. */
export class Scores {
  readonly #ownRevision: string;
  /** The one whose label came last is the last. */
  readonly #scores = new Map<string, Score>();

  constructor(ownRevision: string) {
    this.#ownRevision = ownRevision;
    this.#scores.set(ownRevision, new Score());
  }

  add(revision: string, judgement: Judgement): void {
    const score = this.#scores.get(revision) ?? new Score();
    score.add(judgement);
    this.#scores.delete(revision);
    this.#scores.set(revision, score);
    if (this.#scores.size <= MOST_REVISIONS) return;
    const oldest = [...this.#scores.keys()].find((known) => known !== this.#ownRevision);
    if (oldest !== undefined) this.#scores.delete(oldest);
  }

  [Symbol.iterator](): Iterator<readonly [revision: string, score: Score]> {
    return this.#scores.entries();
  }
}
