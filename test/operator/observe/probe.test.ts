import { afterEach, describe, expect, it } from 'vitest';
import { probe } from '../../../operator/observe/probe.ts';
import type { GatewayPod } from '../../../operator/observe/gateway-port.ts';
import { Loopback } from './loopback.ts';

let loopback: Loopback | undefined;

afterEach(async () => {
  await loopback?.stop();
  loopback = undefined;
});

const pod: GatewayPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'gateway-a', namespace: 'istio-system' },
  status: { phase: 'Running', podIP: '127.0.0.1' },
};

async function answeredWith(status: number, body: string): ReturnType<typeof probe> {
  loopback = await Loopback.http((_, response) => response.writeHead(status).end(body));
  return await probe(pod, { host: 'a.example.com', path: '/x', port: loopback.port, tls: false });
}

describe('the probe of a proxy', () => {
  it('brings the hash that the proxy answers with', async () => {
    await expect(answeredWith(200, 'abcd234567\n')).resolves.toEqual({
      name: 'istio-system/gateway-a',
      hash: 'abcd234567',
    });
  });

  it.each([
    [404, '', 'it answered 404'],
    [503, 'no healthy upstream', 'it answered 503'],
    [200, '', 'it answered something else'],
    [200, '   \n', 'it answered something else'],
    [200, '<html>'.repeat(20), 'it answered something else'],
  ])('takes %i with the body %j for no proof', async (status, body, problem) => {
    await expect(answeredWith(status, body)).resolves.toEqual({ name: 'istio-system/gateway-a', problem });
  });

  it('names what kept it from an answer', async () => {
    const question = { host: 'a.example.com', path: '/x', port: await Loopback.refusing(), tls: false };
    await expect(probe(pod, question)).resolves.toEqual({
      name: 'istio-system/gateway-a',
      problem: 'connection refused',
    });
  });

  it('says of a pod without an address that it has none yet', async () => {
    const starting: GatewayPod = { ...pod, status: { phase: 'Running' } };
    const question = { host: 'a.example.com', path: '/x', port: 80, tls: false };
    await expect(probe(starting, question)).resolves.toMatchObject({ problem: 'it has no address yet' });
  });

  it('asks for a name below a wildcard, which no request can bear', async () => {
    loopback = await Loopback.http((request, response) => response.end(request.headers.host));
    const question = { host: '*.example.com', path: '/x', port: loopback.port, tls: false };
    await expect(probe(pod, question)).resolves.toMatchObject({ hash: 'headgate-probe.example.com' });
  });
});
