import { RequestError } from '../errors.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import { readPrediction } from '../inference/prediction.ts';
import type { Labels, Sample, ScrapedMetric } from '../metrics/scraped.ts';
import type { Tensor } from '../tensor/datatype.ts';

export interface FeedbackSettings {
  /** Of so many answers a label can still come. */
  readonly mostKept: number;
  readonly keptMs: number;
}

export type Label = string | number | boolean;

export interface Joined {
  readonly predicted: readonly Label[];
  readonly labels: readonly Label[];
  /** Share of rows that were right; undefined for regressions. */
  readonly accuracy?: number;
  /** Undefined for classes. */
  readonly meanAbsoluteError?: number;
}

interface Waiting {
  readonly endedAtMs: number;
  /** Classes as texts, values as numbers: one a row. */
  readonly predicted: readonly Label[];
}

const MOST_ROWS = 1024;

/** A regression has one number a row. */
function readValues(outputs: readonly Tensor[]): number[] {
  const isOfValues = ({ shape, data }: Tensor): boolean =>
    (data instanceof Float32Array || data instanceof Float64Array) &&
    (shape.length === 1 || (shape.length === 2 && shape[1] === 1));
  const output = outputs.find(isOfValues);
  return output === undefined ? [] : Array.from(output.data as Float32Array | Float64Array);
}

/** Answers by the id of their request until somebody knows what would have been right. Of users alone. */
export class Feedback implements JourneyObserver {
  readonly #settings: FeedbackSettings;
  readonly #labels: Labels;
  /** Oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #right = 0;
  #wrong = 0;
  #values = 0;
  #absoluteError = 0;

  constructor(settings: FeedbackSettings, labels: Labels) {
    this.#settings = settings;
    this.#labels = labels;
  }

  onEnd({ requestId, origin }: Journey, outcome: Outcome, endedAtMs: number): void {
    if (outcome.kind !== 'Answered' || origin !== 'User') return;
    const { outputs } = outcome.answer;
    const { classes } = readPrediction(outputs);
    const predicted = classes.length > 0 ? classes : readValues(outputs);
    if (predicted.length === 0 || predicted.length > MOST_ROWS) return;
    // An id that comes again is that of its latest answer.
    this.#waiting.delete(requestId);
    this.#waiting.set(requestId, { endedAtMs, predicted });
    if (this.#waiting.size > this.#settings.mostKept) this.#dropOldest();
  }

  /** Undefined for a request that nobody waits for. Throws RequestError for labels that do not fit its answer. */
  join(requestId: string, labels: readonly Label[], nowMs: number): Joined | undefined {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined || nowMs - waiting.endedAtMs > this.#settings.keptMs) return undefined;
    const { predicted } = waiting;
    if (labels.length !== predicted.length) {
      throw new RequestError(
        'MalformedRequest',
        `expected ${predicted.length} labels, one a row, got ${labels.length}`,
      );
    }
    const joined =
      typeof predicted[0] === 'string' ? this.#compare(predicted, labels) : this.#measure(predicted, labels);
    this.#waiting.delete(requestId);
    return joined;
  }

  scraped(): ScrapedMetric[] {
    const gauge = (name: string, help: string, read: () => number | undefined): ScrapedMetric => ({
      name,
      help,
      type: 'gauge',
      read: () => this.#sample(read()),
    });
    const rows = (): Sample[] => [
      { labels: { ...this.#labels, outcome: 'right' }, value: this.#right },
      { labels: { ...this.#labels, outcome: 'wrong' }, value: this.#wrong },
      { labels: { ...this.#labels, outcome: 'measured' }, value: this.#values },
    ];
    const judged = (): number => this.#right + this.#wrong;
    return [
      {
        name: 'headgate_feedback_rows_total',
        help: 'Rows whose label has come: right, wrong, or of a regression.',
        type: 'counter',
        read: rows,
      },
      gauge('headgate_feedback_accuracy', 'Share of labelled rows that were right since the start.', () =>
        judged() === 0 ? undefined : this.#right / judged(),
      ),
      gauge('headgate_feedback_mean_absolute_error', 'Mean distance to the label since the start.', () =>
        this.#values === 0 ? undefined : this.#absoluteError / this.#values,
      ),
      gauge('headgate_feedback_waiting', 'Answers whose label has not come.', () => this.#waiting.size),
    ];
  }

  #sample(value: number | undefined): Sample[] {
    return value === undefined ? [] : [{ labels: this.#labels, value }];
  }

  #compare(predicted: readonly Label[], labels: readonly Label[]): Joined {
    const right = predicted.filter((value, row) => value === String(labels[row])).length;
    this.#right += right;
    this.#wrong += predicted.length - right;
    return { predicted, labels, accuracy: right / predicted.length };
  }

  #measure(predicted: readonly Label[], labels: readonly Label[]): Joined {
    const distances = predicted.map((value, row) => Math.abs(Number(value) - Number(labels[row])));
    if (!labels.every((label) => typeof label === 'number') || !distances.every(Number.isFinite)) {
      throw new RequestError(
        'MalformedRequest',
        'expected finite numbers as labels, since the model answers numbers',
      );
    }
    const sum = distances.reduce((total, distance) => total + distance, 0);
    this.#values += distances.length;
    this.#absoluteError += sum;
    return { predicted, labels, meanAbsoluteError: sum / distances.length };
  }

  #dropOldest(): void {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#waiting.delete(oldest);
  }
}
