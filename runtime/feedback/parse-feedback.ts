import { RequestError } from '../errors.ts';
import type { Label } from './waiting-answers.ts';

export interface GivenFeedback {
  readonly requestId: string;
  /** One a row. */
  readonly labels: readonly Label[];
}

const FORM =
  'expected {"request_id": "…", "label": …} or {"request_id": "…", "labels": […]}, one label a row';

function isLabel(value: unknown): value is Label {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The body of POST /feedback. Throws RequestError. */
export function parseFeedback(body: Buffer): GivenFeedback {
  let given: unknown;
  try {
    given = JSON.parse(body.toString());
  } catch {
    throw new RequestError('MalformedRequest', `the body is no JSON; ${FORM}`);
  }
  const members = (typeof given === 'object' && given !== null ? given : {}) as Readonly<
    Record<string, unknown>
  >;
  const { request_id: requestId, label, labels = label === undefined ? undefined : [label] } = members;
  const isComplete = typeof requestId === 'string' && Array.isArray(labels) && labels.length > 0;
  if (!isComplete || !labels.every(isLabel)) throw new RequestError('MalformedRequest', FORM);
  return { requestId, labels };
}
