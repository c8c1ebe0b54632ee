import type { Journey } from './journey.ts';

const stages = [
  ['parse', 'parseMs'],
  ['queue', 'queueMs'],
  ['compute', 'computeMs'],
  ['serialise', 'serialiseMs'],
] as const satisfies readonly (readonly [string, keyof Journey])[];

/** What stands behind the dot. */
const thousandths = Array.from({ length: 1000 }, (_, digits) => `.${String(digits).padStart(3, '0')}`);

/** To a microsecond; whole numbers become text several times as fast as others. */
function duration(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  return String(whole) + (thousandths[microseconds - 1000 * whole] ?? '');
}

/**
 * The value of the header Server-Timing, which browsers and tracing proxies show: what each stage took in milliseconds,
 * as far as the request came. https://www.w3.org/TR/server-timing/
 */
export function serverTiming(journey: Journey, nowMs: number): string {
  let text = '';
  for (const [name, member] of stages) {
    const ms = journey[member];
    if (ms !== undefined) text += `${name};dur=${duration(ms)}, `;
  }
  const { batchMs, batchRows } = journey;
  const waited = batchMs === undefined ? '' : `;dur=${duration(batchMs)}`;
  if (batchRows !== undefined) text += `batch${waited};desc="rows=${batchRows}", `;
  if (journey.cache !== undefined) text += `cache;desc=${journey.cache.toLowerCase()}, `;
  return `${text}total;dur=${duration(nowMs - journey.arrivedAtMs)}`;
}
