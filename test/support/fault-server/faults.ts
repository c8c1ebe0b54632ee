import type { ServerResponse } from 'node:http';

/** How a watch breaks, or what it says too much. */
export const watchFaults = [
  'status 429',
  'status 500',
  'status 503',
  'gone 410',
  'error event 410',
  'error event 500',
  'reset',
  'reset within a line',
  'garbage line',
  'line without a version',
  'unknown type',
  'end within a line',
  'end at once',
  'silence',
  'no answer',
  'duplicates',
  'old events',
] as const;
export type WatchFault = (typeof watchFaults)[number];

/** How a list breaks; `old list` is whole, but as of an earlier time. */
export const listFaults = [
  'status 429',
  'status 500',
  'gone 410',
  'reset',
  'end within the list',
  'garbage',
  'old list',
] as const;
export type ListFault = (typeof listFaults)[number];

/** These go on as a good watch does. */
export function isRepetition(fault: WatchFault): fault is 'duplicates' | 'old events' {
  return fault === 'duplicates' || fault === 'old events';
}

/** Where the other side hears nothing any more, and no connection ends. */
export function isHalfOpen(fault: WatchFault): fault is 'silence' | 'no answer' {
  return fault === 'silence' || fault === 'no answer';
}

export type BreakingFault = Exclude<WatchFault, 'duplicates' | 'old events'>;

const HALF_A_LINE = '{"type":"ADDED","object":{"metadata":{"name":"ha';

export function breakWatch(fault: BreakingFault, response: ServerResponse): void {
  const breakers: Record<BreakingFault, () => void> = {
    'status 429': () => refuse(response, 429),
    'status 500': () => refuse(response, 500),
    'status 503': () => refuse(response, 503),
    'gone 410': () => refuse(response, 410),
    'error event 410': () => response.end(errorLine(410)),
    'error event 500': () => response.end(errorLine(500)),
    reset: () => response.socket?.resetAndDestroy(),
    'reset within a line': () => response.write(HALF_A_LINE, () => response.socket?.resetAndDestroy()),
    'garbage line': () => response.write('}{ not json\n'),
    'line without a version': () => response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'),
    'unknown type': () =>
      response.write('{"type":"SURPRISE","object":{"metadata":{"resourceVersion":"9"}}}\n'),
    'end within a line': () => response.end(HALF_A_LINE),
    'end at once': () => response.end(),
    silence: () => response.flushHeaders(),
    'no answer': () => undefined,
  };
  breakers[fault]();
}

/** As the API server's flow control does, 429 says when to come back. In the middle of an answer nothing can be refused. */
export function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.socket?.resetAndDestroy();
    return;
  }
  const headers = status === 429 ? { 'retry-after': '1' } : {};
  const reasons: Readonly<Record<number, string>> = {
    410: 'Expired',
    422: 'Invalid',
    429: 'TooManyRequests',
  };
  response
    .writeHead(status, headers)
    .end(JSON.stringify({ kind: 'Status', code: status, reason: reasons[status], message: 'a fault' }));
}

export function errorLine(code: number): string {
  return `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason: 'Expired', message: 'a fault' } })}\n`;
}
