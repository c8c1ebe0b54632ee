import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface GoodTraffic {
  readonly answered: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const clientPath = fileURLToPath(new URL('good-client.ts', import.meta.url));

/** What one well-behaved client at a steady rate got while something else went on. */
export async function goodTraffic(port: number, during: () => Promise<unknown>): Promise<GoodTraffic> {
  const client = fork(clientPath, [String(port)]);
  const report = once(client, 'message') as Promise<[GoodTraffic]>;
  const ended = once(client, 'exit');
  try {
    await once(client, 'spawn');
    await during();
    client.send('stop');
    const [traffic] = await Promise.race([report, ended.then(diedEarly)]);
    await ended;
    return traffic;
  } finally {
    client.kill();
  }
}

function diedEarly(): never {
  throw new Error('the good client ended before it could tell what it got');
}

/** Resident memory of a process, in bytes. */
export function residentBytes(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) * 1024;
}
