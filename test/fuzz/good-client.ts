import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { GoodTraffic } from './good-traffic.ts';
import { HttpConnection } from './http-connection.ts';
import { wellFormed } from './http-fuzz.ts';
import { encodeMessage } from './http-message.ts';

/** A process of its own, so that its times are those of the server and not those of whoever makes the other traffic. */

const REQUESTS_PER_SECOND = 50;
const PATIENCE_MS = 10_000;
/** Before the others on a machine with few cores: it measures, and takes next to nothing. */
const PRIORITY = -10;

const connection = new HttpConnection(Number(process.argv[2]), PATIENCE_MS);
const latenciesMs: number[] = [];
let failed = 0;
let isOver = false;

async function ask(): Promise<void> {
  const bytes = encodeMessage(wellFormed);
  for (let dueAtMs = performance.now(); !isOver; dueAtMs += 1000 / REQUESTS_PER_SECOND) {
    await pause(Math.max(0, dueAtMs - performance.now()));
    const startedAtMs = performance.now();
    const reply = await connection.ask(bytes);
    latenciesMs.push(performance.now() - startedAtMs);
    if (typeof reply === 'string' || reply.status !== 200) failed++;
  }
}

function summarise(): GoodTraffic {
  const sorted = latenciesMs.toSorted((left, right) => left - right);
  const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return { answered: sorted.length, failed, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

try {
  os.setPriority(PRIORITY);
} catch {
  // Only root may; on a machine with a core to spare it makes no difference.
}
process.once('message', () => (isOver = true));
await ask();
connection.close();
process.send?.(summarise(), () => process.disconnect());
