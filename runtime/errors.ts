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
  Overloaded: 429,
  ModelFailed: 500,
  InternalError: 500,
  ModelNotReady: 503,
  ExecutorLost: 503,
  DeadlineExceeded: 504,
} as const;

export type RequestErrorReason = keyof typeof httpStatusOf;

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
}

/** Why a server could not start; the operator shows the reason in the ModelDeployment's status. */
export type StartFailureReason =
  | 'ModelNotFound'
  | 'ModelDownloadFailed'
  | 'ModelSourceForbidden'
  | 'ModelTooLarge'
  | 'ModelDigestMismatch'
  | 'ModelInvalid'
  | 'ModelWarmUpFailed'
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
