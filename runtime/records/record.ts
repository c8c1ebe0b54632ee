import { createHash, hash } from 'node:crypto';
import type { Journey, Outcome, Protocol } from '../inference/journey.ts';
import type { Origin } from '../inference/origin.ts';
import { shapeText, type Tensor } from '../tensor/datatype.ts';
import { writeRaw } from '../tensor/raw.ts';
import type { RecordSettings } from './settings.ts';
import { boundedTensorText, redactedTensorText, tensorText } from './tensor-text.ts';

/** Of each output, so many values are recorded. */
const MOST_OUTPUT_ELEMENTS = 64;
const LONGEST_HEADER = 256;
/** Up to this, one call over a copy is faster than an object that is fed. */
const MOST_COPIED_BYTES = 16_384;
const nothing: ReadonlySet<string> = new Set();
/** As web servers log it: the client was gone before there was an answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** Which server decided. */
export interface Decider {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly modelDigest: string | null;
  readonly revision: string;
}

export interface DecisionFacts extends Decider {
  readonly type: 'decision';
  /** When the request arrived, in ISO 8601. */
  readonly time: string;
  readonly requestId: string;
  readonly protocol: Protocol;
  readonly origin: Origin;
  readonly user?: string | undefined;
  readonly tenant?: string | undefined;
  readonly inputDigest?: string | undefined;
  /** The largest probability; of several rows that of the least certain one. */
  readonly confidence?: number | undefined;
  readonly latencyMs: number;
  /** Of HTTP; 499 where the client was gone. */
  readonly status: number;
  /** Why there is no answer. */
  readonly reason?: string | undefined;
}

export interface FeedbackFacts extends Decider {
  readonly type: 'feedback';
  readonly time: string;
  readonly requestId: string;
  readonly [fact: string]: unknown;
}

/** What is kept of one request. Tensors are JSON already, because the memory that they lie in is not to be held. */
export interface DecisionRecord {
  readonly facts: DecisionFacts | FeedbackFacts;
  /** A JSON array each. */
  readonly inputs: string | undefined;
  readonly outputs: string | undefined;
}

/**
 * sha256 over, for each tensor in the order of the request, `name NUL datatype NUL shape NUL` and its bytes as in the
 * protocol's binary tensors, so that equal inputs have one digest however they were sent. Redacted inputs are left out:
 * of a small set of values, a digest would give the value away.
 */
export function digestInputs(inputs: readonly Tensor[], redacted: ReadonlySet<string>): string {
  const pieces: Buffer[] = [];
  for (const tensor of inputs) {
    if (redacted.has(tensor.name)) continue;
    const { name, datatype, shape } = tensor;
    pieces.push(Buffer.from(`${name}\0${datatype}\0${shapeText(shape)}\0`), writeRaw(tensor));
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (bytes <= MOST_COPIED_BYTES) return hash('sha256', Buffer.concat(pieces, bytes), 'hex');
  const stream = createHash('sha256');
  for (const piece of pieces) stream.update(piece);
  return stream.digest('hex');
}

function inputsText(inputs: readonly Tensor[], settings: RecordSettings): string | undefined {
  if (settings.content === 'Digest') return undefined;
  const isHidden = ({ name }: Tensor): boolean =>
    settings.content === 'Redacted' && settings.redactedInputs.has(name);
  return `[${inputs.map((tensor) => (isHidden(tensor) ? redactedTensorText(tensor) : tensorText(tensor))).join(',')}]`;
}

function endOf(outcome: Outcome): Pick<DecisionFacts, 'status' | 'reason' | 'confidence'> {
  switch (outcome.kind) {
    case 'HungUp':
      return { status: CLIENT_CLOSED_REQUEST, reason: 'HungUp' };
    case 'Refused':
      return { status: outcome.httpStatus, reason: outcome.reason };
    case 'Answered': {
      const { confidences } = outcome.prediction;
      const confidence = confidences.length === 0 ? undefined : Math.min(...confidences);
      return { status: 200, confidence };
    }
  }
}

function headerOf({ header }: Journey, name: string | undefined): string | undefined {
  return name === undefined ? undefined : header(name)?.slice(0, LONGEST_HEADER);
}

export interface Ending {
  readonly journey: Journey;
  readonly outcome: Outcome;
  readonly latencyMs: number;
  /** Of the arrival, in milliseconds since 1970. */
  readonly arrivedAtEpochMs: number;
}

export function buildDecisionRecord(
  ending: Ending,
  decider: Decider,
  settings: RecordSettings,
): DecisionRecord {
  const { journey, outcome, latencyMs, arrivedAtEpochMs } = ending;
  const inputs = outcome.kind === 'HungUp' ? undefined : outcome.request?.inputs;
  // What nobody may know is no part of the digest, whether or not the rest is written out.
  const redacted = settings.content === 'Full' ? nothing : settings.redactedInputs;
  const { status, reason, confidence } = endOf(outcome);
  return {
    facts: {
      type: 'decision',
      time: new Date(arrivedAtEpochMs).toISOString(),
      requestId: journey.requestId,
      // One by one: a spread amid other fields takes several times as long, and this is made for every answer.
      modelName: decider.modelName,
      modelVersion: decider.modelVersion,
      modelDigest: decider.modelDigest,
      revision: decider.revision,
      protocol: journey.protocol,
      origin: journey.origin,
      user: headerOf(journey, settings.userHeader),
      tenant: headerOf(journey, settings.tenantHeader),
      inputDigest: inputs === undefined ? undefined : digestInputs(inputs, redacted),
      confidence,
      status,
      reason,
      latencyMs: Math.round(latencyMs * 1000) / 1000,
    },
    inputs: inputs === undefined ? undefined : inputsText(inputs, settings),
    outputs:
      outcome.kind === 'Answered'
        ? `[${outcome.answer.outputs.map((output) => boundedTensorText(output, MOST_OUTPUT_ELEMENTS)).join(',')}]`
        : undefined,
  };
}

/** One line of JSON, without the line's end. */
export function toLine({ facts, inputs, outputs }: DecisionRecord): string {
  const inputsPart = inputs === undefined ? '' : `,"inputs":${inputs}`;
  const outputsPart = outputs === undefined ? '' : `,"outputs":${outputs}`;
  return `${JSON.stringify(facts).slice(0, -1)}${inputsPart}${outputsPart}}`;
}
