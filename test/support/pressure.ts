import { setTimeout as pause } from 'node:timers/promises';
import type { HttpClient } from '../../bench/load/http-client.ts';

export interface Pressure {
  readonly durationMs: number;
  /** Before the first answer says more. */
  readonly firstPerSecond: number;
  /** Requests for each answer: as the cores get busier or freer, so does the load, and it is always too much. */
  readonly overload: number;
}

export interface Answered {
  readonly status: number;
  /** From the request to the whole answer, by the client's clock. */
  readonly latencyMs: number;
  /** Of the answer. */
  readonly head: string;
}

/** Sends many times as many requests as are answered, whatever becomes of each; `free` are the clients that may ask. */
export async function press(
  free: HttpClient[],
  { durationMs, firstPerSecond, overload }: Pressure,
): Promise<Answered[]> {
  const answered: Answered[] = [];
  const pending: Promise<void>[] = [];
  let good = 0;
  const ask = async (client: HttpClient): Promise<void> => {
    const askedAtMs = performance.now();
    const status = await client.ask();
    if (status === 200) good++;
    answered.push({ status, latencyMs: performance.now() - askedAtMs, head: client.head });
    free.push(client);
  };
  const startedAtMs = performance.now();
  const dueBy = (nowMs: number): number => ((nowMs - startedAtMs) / 1000) * firstPerSecond + overload * good;
  for (let sent = 0; performance.now() - startedAtMs < durationMs;) {
    await pause(1);
    for (; sent < dueBy(performance.now()); sent++) {
      const client = free.pop();
      if (client !== undefined) pending.push(ask(client));
    }
  }
  await Promise.all(pending);
  return answered;
}
