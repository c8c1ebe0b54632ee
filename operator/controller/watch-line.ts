import { ApiError } from './errors.ts';

/** One line of a watch: what happened, and to which object. */
export interface WatchLine {
  readonly type: string;
  readonly object: { readonly metadata: { readonly resourceVersion: string } };
}

export function parseWatchLine(line: string): WatchLine {
  return JSON.parse(line) as WatchLine;
}

/** The object of an ERROR line is a Status. */
export function toWatchError(status: unknown): ApiError {
  const { code, reason, message } = status as { code?: number; reason?: string; message?: string };
  return new ApiError(code ?? 500, reason ?? 'Unknown', message ?? 'the watch reported an error');
}
