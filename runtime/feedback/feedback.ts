import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Labels, Sample, ScrapedMetric } from '../metrics/scraped.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { judge } from './judgement.ts';
import { Score, Scores } from './score.ts';
import type { Label, WaitingAnswer, WaitingAnswers } from './waiting-answers.ts';

/** An answer and what would have been right. */
export interface Joined extends WaitingAnswer {
  readonly labels: readonly Label[];
  /** Share of rows that were right; undefined for regressions. */
  readonly accuracy: number | undefined;
  /** Undefined for classes. */
  readonly meanAbsoluteError: number | undefined;
}

export interface FeedbackOptions {
  readonly answers: WaitingAnswers;
  readonly labels: Labels & { readonly revision: string };
  readonly modelDigest: () => string | null;
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
  readonly #options: FeedbackOptions;
  readonly #scores: Scores;

  constructor(options: FeedbackOptions) {
    this.#options = options;
    this.#scores = new Scores(options.labels.revision);
  }

  onEnd({ requestId, origin }: Journey, outcome: Outcome): void {
    if (outcome.kind !== 'Answered' || origin !== 'User') return;
    const { answer, prediction } = outcome;
    const predicted = prediction.classes.length > 0 ? prediction.classes : readValues(answer.outputs);
    if (predicted.length === 0 || predicted.length > MOST_ROWS) return;
    const { answers, labels, modelDigest } = this.#options;
    answers.keep(requestId, { revision: labels.revision, modelDigest: modelDigest(), predicted });
  }

  /** Undefined for a request that nobody waits for. Rejects with RequestError for labels that do not fit its answer. */
  async join(requestId: string, labels: readonly Label[]): Promise<Joined | undefined> {
    const { answers } = this.#options;
    const found = await answers.find(requestId);
    if (found === undefined) return undefined;
    // Labels that do not fit must not take the answer from those that do.
    judge(found.predicted, labels);
    const answer = await answers.take(requestId);
    if (answer === undefined) return undefined;
    const judgement = judge(answer.predicted, labels);
    this.#scores.add(answer.revision, judgement);
    const { accuracy, meanAbsoluteError } = new Score(judgement);
    return { ...answer, labels, accuracy, meanAbsoluteError };
  }

  close(): void {
    this.#options.answers.close();
  }

  scraped(): ScrapedMetric[] {
    const ofEach = (name: string, help: string, type: 'gauge' | 'counter', read: Read): ScrapedMetric => ({
      name,
      help,
      type,
      read: () => this.#samples(read),
    });
    return [
      {
        name: 'headgate_feedback_rows_total',
        help: 'Rows whose label has come: right, wrong, or of a regression.',
        type: 'counter',
        read: () => this.#rowSamples(),
      },
      ofEach(
        'headgate_feedback_absolute_error_total',
        'Distances of values to their labels, added up.',
        'counter',
        ({ absoluteError }) => absoluteError,
      ),
      ofEach(
        'headgate_feedback_accuracy',
        'Share of labelled rows that were right since the start.',
        'gauge',
        ({ accuracy }) => accuracy,
      ),
      ofEach(
        'headgate_feedback_mean_absolute_error',
        'Mean distance to the label since the start.',
        'gauge',
        ({ meanAbsoluteError }) => meanAbsoluteError,
      ),
      ...this.#options.answers.scraped(this.#options.labels),
    ];
  }

  /** One of each revision that has labels: a label may come to a pod of another revision than answered. */
  #samples(read: Read): Sample[] {
    const { labels } = this.#options;
    return [...this.#scores].flatMap(([revision, score]) => {
      const value = read(score);
      return value === undefined ? [] : [{ labels: { ...labels, revision }, value }];
    });
  }

  #rowSamples(): Sample[] {
    const { labels } = this.#options;
    return [...this.#scores].flatMap(([revision, { right, wrong, values }]) =>
      Object.entries({ right, wrong, measured: values }).map(([outcome, value]) => ({
        labels: { ...labels, revision, outcome },
        value,
      })),
    );
  }
}

type Read = (score: Score) => number | undefined;
