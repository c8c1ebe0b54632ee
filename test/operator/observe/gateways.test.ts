import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../../operator/controller/errors.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import {
  listeningPort,
  type GatewayPod,
  type GatewayService,
} from '../../../operator/observe/gateway-port.ts';
import { chooseServer, type GatewayServer } from '../../../operator/observe/gateway-server.ts';
import { observeGateways } from '../../../operator/observe/gateways.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { modelDeploymentWith } from '../../support/model-deployment.ts';
import { Loopback } from './loopback.ts';

const HASH = 'abcd234567';

function server(protocol: string, number: number, more: Partial<GatewayServer> = {}): GatewayServer {
  return { port: { protocol, number }, hosts: ['*'], ...more };
}

describe('the server of a Gateway that is asked', () => {
  it.each<[string, readonly GatewayServer[], unknown]>([
    ['plain HTTP', [server('HTTP', 80)], { port: 80, tls: false }],
    ['plain HTTP before TLS', [server('HTTPS', 443), server('HTTP', 80)], { port: 80, tls: false }],
    [
      'TLS where plain HTTP only redirects',
      [
        server('HTTP', 80, { tls: { httpsRedirect: true } }),
        server('HTTPS', 443, { tls: { mode: 'SIMPLE' } }),
      ],
      { port: 443, tls: true },
    ],
    [
      'its own host',
      [
        server('HTTP', 80, { hosts: ['a.example.com'] }),
        server('HTTP', 81, { hosts: ['fraud.example.com'] }),
      ],
      { port: 81, tls: false },
    ],
    ['a wildcard', [server('HTTP', 80, { hosts: ['*.example.com'] })], { port: 80, tls: false }],
    [
      'a host behind a namespace',
      [server('HTTP', 80, { hosts: ['ml/fraud.example.com'] })],
      { port: 80, tls: false },
    ],
  ])('is %s', (_, servers, choice) => {
    expect(chooseServer(servers, 'fraud.example.com')).toEqual(choice);
  });

  it.each<[string, readonly GatewayServer[], RegExp]>([
    ['there is none', [], /none of its servers has the host/],
    [
      'all have other hosts',
      [server('HTTP', 80, { hosts: ['*.other.com', 'example.com'] })],
      /none of its servers/,
    ],
    [
      'a client certificate is demanded',
      [server('HTTPS', 443, { tls: { mode: 'MUTUAL' } })],
      /client certificates/,
    ],
    ['TLS passes through', [server('TLS', 443, { tls: { mode: 'PASSTHROUGH' } })], /pass-through/],
  ])('is missing, with a sentence, when %s', (_, servers, problem) => {
    expect(chooseServer(servers, 'fraud.example.com')).toEqual({
      problem: expect.stringMatching(problem) as string,
    });
  });
});

describe('the port that a gateway pod listens on', () => {
  const pod: GatewayPod = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'gateway-a', namespace: 'istio-system', labels: { istio: 'public', app: 'gateway' } },
    spec: { containers: [{ ports: [{ name: 'http2', containerPort: 8080 }] }] },
  };
  const service = (
    targetPort: number | string | undefined,
    selector = { istio: 'public' },
    namespace = 'istio-system',
  ): GatewayService => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'gateway', namespace } },
    spec: { selector, ports: [{ port: 80, ...(targetPort === undefined ? {} : { targetPort }) }] },
  });

  it.each<[string, readonly GatewayService[], number]>([
    ['the number itself without a Service', [], 80],
    ['the target of the Service', [service(18_080)], 18_080],
    ['the port of that name', [service('http2')], 8080],
    ['the number itself when no port has that name', [service('nowhere')], 80],
    ['the number itself when the Service names no target', [service(undefined)], 80],
    [
      'that of its own Service',
      [service(1, { istio: 'other' }), service(2, { istio: 'public' }, 'other'), service(3)],
      3,
    ],
  ])('is %s', (_, services, port) => {
    expect(listeningPort(80, pod, services)).toBe(port);
  });
});

describe('the gateways of a ModelDeployment', () => {
  let proxy: Loopback;
  let cluster: FakeCluster;

  beforeEach(async () => {
    proxy = await Loopback.http((request, response) => {
      const known =
        request.headers.host === 'fraud.example.com' && request.url === '/fraud/.headgate/routing';
      response.writeHead(known ? 200 : 404).end(known ? HASH : undefined);
    });
    cluster = new FakeCluster();
  });

  afterEach(async () => {
    await proxy.stop();
  });

  const traffic = { hosts: ['fraud.example.com'], pathPrefix: '/fraud', gateways: ['istio-system/public'] };
  const observed = (): ReturnType<typeof observeGateways> =>
    observeGateways(cluster, modelDeploymentWith({ traffic }));

  function putGateway(selector: object = { istio: 'public' }, name = 'public'): void {
    const servers = [server('HTTP', proxy.port)];
    const metadata = { name, namespace: 'istio-system' };
    cluster.put({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata,
      spec: { selector, servers },
    } as KubernetesObject);
  }

  function putPod(name: string, phase = 'Running', metadata: object = {}): void {
    cluster.put({
      ...{ apiVersion: 'v1', kind: 'Pod', status: { phase, podIP: '127.0.0.1' } },
      metadata: {
        name,
        namespace: 'istio-ingress',
        labels: { istio: 'public', app: 'gateway' },
        ...metadata,
      },
    });
  }

  it('are asked pod by pod, in whatever namespace the pods are', async () => {
    putGateway();
    putPod('gateway-a');
    putPod('gateway-b');
    await expect(observed()).resolves.toEqual({
      proxies: [
        { name: 'istio-ingress/gateway-a', hash: HASH },
        { name: 'istio-ingress/gateway-b', hash: HASH },
      ],
      missing: [],
    });
  });

  it('are asked once for a pod that serves two of them', async () => {
    traffic.gateways = ['istio-system/public', 'istio-system/second'];
    putGateway();
    putGateway({ app: 'gateway' }, 'second');
    putPod('gateway-a');
    const { proxies } = await observed();
    expect(proxies.map(({ name }) => name)).toEqual(['istio-ingress/gateway-a']);
    traffic.gateways = ['istio-system/public'];
  });

  it('are not asked for pods that are not there yet, or go', async () => {
    putGateway();
    putPod('starting', 'Pending');
    putPod('going', 'Running', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await expect(observed()).resolves.toEqual({
      proxies: [],
      missing: [{ gateway: 'istio-system/public', message: 'its selector matches no running pod' }],
    });
  });

  it('are missing, with a sentence, when there is no such object', async () => {
    await expect(observed()).resolves.toEqual({
      proxies: [],
      missing: [{ gateway: 'istio-system/public', message: 'there is no such Gateway object' }],
    });
  });

  it('are missing, with a sentence, when they may not be read', async () => {
    cluster.failWith(new Error('gateways is forbidden'));
    await expect(observed()).resolves.toEqual({
      proxies: [],
      missing: [{ gateway: 'istio-system/public', message: 'gateways is forbidden' }],
    });
  });

  it('are looked for in named namespaces alone by an operator that sees no others', async () => {
    putGateway();
    putPod('gateway-a');
    putPod('gateway-b', 'Running', { namespace: 'elsewhere' });
    const seen = await observeGateways(cluster, modelDeploymentWith({ traffic }), [
      'istio-system',
      'istio-ingress',
    ]);
    expect(seen).toEqual({ proxies: [{ name: 'istio-ingress/gateway-a', hash: HASH }], missing: [] });
  });

  it('are missing, with a sentence, when they are out of the operator’s sight', async () => {
    putGateway();
    const { missing } = await observeGateways(cluster, modelDeploymentWith({ traffic }), ['edge']);
    expect(missing).toEqual([
      {
        gateway: 'istio-system/public',
        message:
          "the operator looks for gateways in ml and edge alone; the chart's value gatewayNamespaces can name more",
      },
    ]);
    expect(cluster.asked).toEqual([]);
  });

  it('are missing, with what would help, when a right is missing', async () => {
    cluster.failWith(new ApiError(403, 'Forbidden', 'gateways "public" is forbidden'));
    const { missing } = await observed();
    expect(missing.map(({ message }) => message)).toEqual([
      'gateways "public" is forbidden; the Roles in gateway-roles.yaml of the chart allow it',
    ]);
  });

  it('take no pod of the cluster for a proxy when the selector is empty', async () => {
    putGateway({});
    putPod('gateway-a');
    const { missing } = await observed();
    expect(missing).toHaveLength(1);
  });

  it('are nobody to ask without a host', async () => {
    await expect(observeGateways(cluster, modelDeploymentWith())).resolves.toEqual({
      proxies: [],
      missing: [],
    });
    expect(cluster.asked).toEqual([]);
  });
});
