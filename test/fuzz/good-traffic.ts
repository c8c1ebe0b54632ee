import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpConnection } from './http-connection.ts';
import { encodeMessage } from './http-message.ts';
import { wellFormed } from './http-fuzz.ts';

const REQUESTS_PER_SECOND = 50;

export interface GoodTraffic {
  readonly answered: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One well-behaved client at a steady rate. */
export class GoodClient {
  readonly #connection: HttpConnection;
  readonly #latenciesMs: number[] = [];
  #failed = 0;
  #isOver = false;
  readonly #run: Promise<void>;

  constructor(port: number) {
    this.#connection = new HttpConnection(port, 10_000);
    this.#run = this.#ask();
  }

  async stop(): Promise<GoodTraffic> {
    this.#isOver = true;
    await this.#run;
    this.#connection.close();
    const sorted = this.#latenciesMs.toSorted((left, right) => left - right);
    const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
    return { answered: sorted.length, failed: this.#failed, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  }

  async #ask(): Promise<void> {
    const bytes = encodeMessage(wellFormed);
    for (let dueAtMs = performance.now(); !this.#isOver; dueAtMs += 1000 / REQUESTS_PER_SECOND) {
      await pause(Math.max(0, dueAtMs - performance.now()));
      const startedAtMs = performance.now();
      const reply = await this.#connection.ask(bytes);
      this.#latenciesMs.push(performance.now() - startedAtMs);
      if (typeof reply === 'string' || reply.status !== 200) this.#failed++;
    }
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) * 1024;
}
