/** What the API server answered instead of doing what it was asked. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Kubernetes' CamelCase reason: Conflict, NotFound, Invalid, Forbidden, … */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** The process cannot start as it is configured. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Somebody wrote in between, or the object is another life of the same name: look again, nothing is wrong. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
