import { RequestError } from '../errors.ts';
import type { Parameters } from '../inference/inference.ts';

const MICROSECONDS_PER_MS = 1000;

/** The parameter `timeout` in microseconds, a whole number or its digits in text; 0 means none. As Triton has it. */
function readTimeoutMs(parameters: Parameters): number | undefined {
  const timeout = parameters.get('timeout');
  if (timeout === undefined) return undefined;
  const text = String(timeout);
  if (!/^\d{1,19}$/u.test(text) || typeof timeout === 'boolean') {
    throw new RequestError(
      'MalformedRequest',
      `parameter 'timeout': expected a whole number of microseconds, got '${text.slice(0, 40)}'`,
    );
  }
  return timeout === 0 || Number(text) === 0 ? undefined : Number(text) / MICROSECONDS_PER_MS;
}

export interface TimeLimits {
  readonly arrivedAtMs: number;
  /** Of the protocol. */
  readonly deadlineAtMs: number | undefined;
  /** Of the configuration, for requests that say nothing shorter. */
  readonly timeoutMs: number | undefined;
}

/** The earliest of all that limit a request; undefined when nothing does. Throws RequestError. */
export function deadlineOf(parameters: Parameters, limits: TimeLimits): number | undefined {
  const { arrivedAtMs, deadlineAtMs = Infinity, timeoutMs = Infinity } = limits;
  const ownTimeoutMs = readTimeoutMs(parameters) ?? Infinity;
  const earliestMs = Math.min(deadlineAtMs, arrivedAtMs + Math.min(timeoutMs, ownTimeoutMs));
  return earliestMs === Infinity ? undefined : earliestMs;
}
