export interface ApiErrorDetails {
  /** Kubernetes' own words for what lies behind it: NamespaceTerminating, FieldValueInvalid, … */
  readonly causes?: readonly string[];
  /** The API server asks not to be asked again sooner; 0 where it says nothing of it. */
  readonly retryAfterMs?: number;
}

/** What the API server answered instead of doing what it was asked. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Kubernetes' CamelCase reason: Conflict, NotFound, Invalid, Forbidden, … */
  readonly reason: string;
  readonly causes: readonly string[];
  readonly retryAfterMs: number;

  constructor(status: number, reason: string, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }
}

/** The process cannot start as it is configured. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** A write was held back: this process does not lead any more. */
export class OutOfTermError extends Error {
  override readonly name = 'OutOfTermError';

  constructor() {
    super('this process does not lead any more');
  }
}

/** Somebody wrote in between, or the object is another life of the same name: look again, nothing is wrong. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** Something of that name is there. A conflict may also be that of a quota. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

/** The rights do not cover what was asked for, or an admission policy says no. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** What was sent makes no valid object. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 422 || error.status === 400);
}

/** The API server will answer the same as long as nobody changes anything. */
export function isRefusal(error: unknown): error is ApiError {
  return isInvalid(error) || isForbidden(error) || isUnknownField(error);
}

/** An apply with a field that the kind does not have is answered with 500, as if the API server itself had failed. */
function isUnknownField(error: unknown): boolean {
  return error instanceof ApiError && error.message.startsWith('failed to create typed patch object');
}

/** Nothing new can be made in a namespace that is being deleted; what is in it goes by itself. */
export function isNamespaceEnding(error: unknown): boolean {
  return error instanceof ApiError && error.causes.includes('NamespaceTerminating');
}

export function retryAfterOf(error: unknown): number {
  return error instanceof ApiError ? error.retryAfterMs : 0;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
