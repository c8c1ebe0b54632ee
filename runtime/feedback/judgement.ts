import { RequestError } from '../errors.ts';
import type { Label } from './waiting-answers.ts';

/** How good an answer was, by its labels. */
export type Judgement =
  | { readonly kind: 'Classes'; readonly rows: number; readonly right: number }
  | { readonly kind: 'Values'; readonly rows: number; readonly absoluteError: number };

/** Throws RequestError for labels that do not fit the answer. */
export function judge(predicted: readonly Label[], labels: readonly Label[]): Judgement {
  if (labels.length !== predicted.length) {
    throw new RequestError(
      'MalformedRequest',
      `expected ${predicted.length} labels, one a row, got ${labels.length}`,
    );
  }
  return typeof predicted[0] === 'string' ? compare(predicted, labels) : measure(predicted, labels);
}

function compare(predicted: readonly Label[], labels: readonly Label[]): Judgement {
  const right = predicted.filter((value, row) => value === String(labels[row])).length;
  return { kind: 'Classes', rows: predicted.length, right };
}

function measure(predicted: readonly Label[], labels: readonly Label[]): Judgement {
  const distances = predicted.map((value, row) => Math.abs(Number(value) - Number(labels[row])));
  if (!labels.every((label) => typeof label === 'number') || !distances.every(Number.isFinite)) {
    throw new RequestError(
      'MalformedRequest',
      'expected finite numbers as labels, since the model answers numbers',
    );
  }
  const absoluteError = distances.reduce((total, distance) => total + distance, 0);
  return { kind: 'Values', rows: distances.length, absoluteError };
}
