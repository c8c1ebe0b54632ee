/**
 * Every answer that is not the model's own, by reason: one table for every protocol. The status decides who is at
 * fault: below 500 the client (or the load), from 500 up the server or the model.
 */
export const httpStatusOf = {
  MalformedRequest: 400,
  InvalidTensor: 400,
  ModelIsManaged: 403,
  UnknownModel: 404,
  UnknownModelVersion: 404,
  UnknownRoute: 404,
  MethodNotAllowed: 405,
  RequestTooLarge: 413,
  UnsupportedContent: 415,
  InputQuarantined: 422,
  Overloaded: 429,
  ModelFailed: 500,
  InternalError: 500,
  NotOffered: 501,
  ModelNotReady: 503,
  ExecutorLost: 503,
  FeedbackUnavailable: 503,
  DeadlineExceeded: 504,
} as const;

export type RequestErrorReason = keyof typeof httpStatusOf;

/** https://grpc.io/docs/guides/status-codes */
const grpcCodes = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** The same reasons over gRPC. What may be sent again as it is comes with the time after which that is worth it. */
const grpcStatusOf = {
  MalformedRequest: 'INVALID_ARGUMENT',
  InvalidTensor: 'INVALID_ARGUMENT',
  InputQuarantined: 'INVALID_ARGUMENT',
  ModelIsManaged: 'FAILED_PRECONDITION',
  UnknownModel: 'NOT_FOUND',
  UnknownModelVersion: 'NOT_FOUND',
  UnknownRoute: 'UNIMPLEMENTED',
  MethodNotAllowed: 'UNIMPLEMENTED',
  RequestTooLarge: 'RESOURCE_EXHAUSTED',
  UnsupportedContent: 'UNIMPLEMENTED',
  Overloaded: 'RESOURCE_EXHAUSTED',
  ModelFailed: 'INTERNAL',
  InternalError: 'INTERNAL',
  NotOffered: 'UNIMPLEMENTED',
  ModelNotReady: 'UNAVAILABLE',
  ExecutorLost: 'UNAVAILABLE',
  FeedbackUnavailable: 'UNAVAILABLE',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
} as const satisfies Record<RequestErrorReason, keyof typeof grpcCodes>;

/** A request that cannot be answered with a result; the message is written for the client and leaks nothing else. */
export class RequestError extends Error {
  readonly reason: RequestErrorReason;
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: RequestErrorReason, message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'RequestError';
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get httpStatus(): number {
    return httpStatusOf[this.reason];
  }

  get grpcCode(): number {
    return grpcCodes[grpcStatusOf[this.reason]];
  }
}

/** Why a server could not start; the operator shows the reason in the ModelDeployment's status. */
export type StartFailureReason =
  | 'ModelNotFound'
  | 'ModelDownloadFailed'
  | 'ModelSourceForbidden'
  | 'ModelTooLarge'
  | 'ModelDigestMismatch'
  | 'ModelInvalid'
  | 'ModelLoadTimedOut'
  | 'ModelWarmUpFailed'
  | 'GoldenDataMismatch'
  | 'ExecutionProviderMissing'
  | 'ModelUriUnsupported'
  | 'ConfigurationInvalid';

export class StartFailure extends Error {
  readonly reason: StartFailureReason;

  constructor(reason: StartFailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartFailure';
    this.reason = reason;
  }
}
