import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface Probing {
  readonly port: number;
  readonly path: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Asks as the kubelet does, over a connection of its own. Resolves with the status. */
function ask(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    });
    asked.once('error', reject);
    asked.end();
  });
}

/**
 * At a fixed rate, whatever became of the probes before: whoever waited for an answer would ask a slow server least.
 * Milliseconds for each, Infinity where the answer was not 200.
 */
export async function probe({ port, path, perSecond, seconds }: Probing): Promise<number[]> {
  const latenciesMs: Promise<number>[] = [];
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + seconds * 1000;
  for (let dueAtMs = startedAtMs; dueAtMs < endsAtMs; dueAtMs += 1000 / perSecond) {
    await pause(Math.max(0, dueAtMs - performance.now()));
    const sentAtMs = performance.now();
    latenciesMs.push(
      ask(port, path).then((status) => (status === 200 ? performance.now() - sentAtMs : Infinity)),
    );
  }
  return await Promise.all(latenciesMs);
}
