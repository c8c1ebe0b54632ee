import { ApiError } from './errors.ts';

/** The part of Kubernetes' Status that says what went wrong. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

const LONGEST_QUOTE = 1_000;
/** Whoever asks us to stay away for longer is not believed: a mistake there would leave us blind for hours. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** An answer that is no success; proxies in between answer with anything but a Status. */
export function answeredError(code: number, body: string, retryAfter: string | undefined): ApiError {
  return toError({ message: body.trim().slice(0, LONGEST_QUOTE), ...readStatus(body), code }, retryAfter);
}

/** The object of a watch's ERROR line is a Status. */
export function watchedError(object: unknown): ApiError {
  return toError({ code: 500, message: 'the watch reported an error', ...(object as Status) });
}

function toError(
  { code = 0, reason = 'Unknown', message = '', details = {} }: Status,
  retryAfter?: string,
): ApiError {
  const causes = (details.causes ?? []).flatMap((cause) => cause.reason ?? []);
  const retryAfterMs = toMs(Number(retryAfter ?? details.retryAfterSeconds));
  return new ApiError(code, reason, message, { causes, retryAfterMs });
}

function readStatus(body: string): Status {
  try {
    return (JSON.parse(body) as Status | null) ?? {};
  } catch {
    return {};
  }
}

/** The header may hold a date as well, which no API server sends: then nothing is asked of us. */
function toMs(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, LONGEST_RETRY_AFTER_MS) : 0;
}
