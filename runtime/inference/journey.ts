import type { RequestErrorReason } from '../errors.ts';
import type { InferAnswer, InferRequest } from './inference.ts';
import type { Origin } from './origin.ts';
import type { Prediction } from './prediction.ts';

export type Protocol = 'rest' | 'grpc';

/**
 * One request on its way through the server, all times in milliseconds. Each stage writes its own part once; undefined
 * means that the request never came there.
 */
export interface Journey {
  readonly requestId: string;
  readonly protocol: Protocol;
  readonly origin: Origin;
  /** A message of a stream but the first: no proxy has chosen this server for it anew. */
  readonly isLaterInStream: boolean;
  /** Of performance.now(), as every …AtMs here. */
  readonly arrivedAtMs: number;
  /** An answer after this is of no use; undefined when the client waits for ever. */
  deadlineAtMs: number | undefined;
  /** A header of the request, or its gRPC metadata, by lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** Reading the body and finding the tensors in it. */
  parseMs: number | undefined;
  /** From the admission to the moment that an executor had room for it. */
  queueMs: number | undefined;
  /** From then until the executor had it, for others to share its run; undefined also where it went at once. */
  batchMs: number | undefined;
  /** In the model, as the executor measured it; of the whole batch. */
  computeMs: number | undefined;
  serialiseMs: number | undefined;
  /** Rows of the batch that it was a part of. */
  batchRows: number | undefined;
  cache: 'Hit' | 'Miss' | 'Shared' | undefined;
}

/** How a journey ended. */
export type Outcome =
  | {
      readonly kind: 'Answered';
      readonly request: InferRequest;
      readonly answer: InferAnswer;
      /** What the answer says, read once for all who want to know. */
      readonly prediction: Prediction;
    }
  | {
      readonly kind: 'Refused';
      readonly reason: RequestErrorReason;
      readonly httpStatus: number;
      readonly message: string;
      /** Undefined: it was refused before it could be read. */
      readonly request: InferRequest | undefined;
    }
  /** The client was gone before there was an answer. */
  | { readonly kind: 'HungUp' };

/** Whoever watches the traffic: called once for each journey, after its answer has been handed to the network. */
export interface JourneyObserver {
  onArrival?(journey: Journey): void;
  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void;
}
