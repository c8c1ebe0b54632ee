import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHealthServer, type HealthServer } from '../../../operator/telemetry/health.ts';

let health: HealthServer;
let isReady: boolean;

beforeEach(async () => {
  isReady = false;
  health = await startHealthServer({ port: 0, registry: new Registry(), isReady: () => isReady });
});

afterEach(async () => {
  await health.stop();
});

async function ask(path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${health.port}${path}`);
  return `${answer.status} ${(await answer.text()).trim()}`;
}

describe('the health server', () => {
  it('says that the process lives, ready or not', async () => {
    await expect(ask('/livez')).resolves.toBe('200 ok');
  });

  it('says whether the operator is ready, at every moment', async () => {
    await expect(ask('/readyz')).resolves.toBe('503 waiting for the first lists');
    isReady = true;
    await expect(ask('/readyz')).resolves.toBe('200 ok');
  });

  it('serves the metrics in the form that Prometheus reads', async () => {
    const answer = await fetch(`http://127.0.0.1:${health.port}/metrics`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
  });

  it('answers 404 to anything else, and does not say what it is built with', async () => {
    const answer = await fetch(`http://127.0.0.1:${health.port}/debug`);
    expect([answer.status, answer.headers.get('x-powered-by')]).toEqual([404, null]);
  });

  it('fails to start on a port that is taken', async () => {
    const options = { port: health.port, registry: new Registry(), isReady: () => true };
    await expect(startHealthServer(options)).rejects.toThrow('EADDRINUSE');
  });

  it('stops at once although a client keeps its connection', async () => {
    await ask('/livez');
    const startedAtMs = performance.now();
    await health.stop();
    expect(performance.now() - startedAtMs).toBeLessThan(500);
    health = await startHealthServer({ port: 0, registry: new Registry(), isReady: () => true });
  });
});
