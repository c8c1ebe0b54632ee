import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { createCaches } from '../../../operator/kube/caches.ts';
import { KubernetesCluster } from '../../../operator/kube/client.ts';
import { NameTakenError } from '../../../operator/kube/ownership.ts';
import { plainConnection } from '../../../operator/controller/connection.ts';
import { Discovery } from '../../../operator/controller/discovery.ts';
import { createTransport } from '../../../operator/controller/transport.ts';

interface Heard {
  readonly line: string;
  readonly type: string | undefined;
  readonly body: unknown;
}

let server: Server;
let heard: Heard[];
/** Answers in turn; when there are no more, what was written comes back as the API server would return it. */
let answers: { readonly status: number; readonly body?: unknown }[];
let cluster: KubernetesCluster;
let codes: string[];

const service: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'fraud', namespace: 'ml' },
};
const path = '/api/v1/namespaces/ml/services/fraud';

async function answer(
  request: IncomingMessage,
): Promise<{ readonly status: number; readonly body?: unknown }> {
  const sent = await text(request);
  const body = sent === '' ? undefined : (JSON.parse(sent) as KubernetesObject);
  heard.push({
    line: `${request.method ?? ''} ${request.url ?? ''}`,
    type: request.headers['content-type'],
    body,
  });
  const metadata = { ...body?.metadata, uid: 'uid', resourceVersion: String(100 + heard.length) };
  return answers.shift() ?? { status: 200, body: { ...body, metadata } };
}

beforeEach(async () => {
  [heard, answers, codes] = [[], [], []];
  server = createServer((request, response) => {
    void answer(request).then(({ status, body }) =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body ?? {})),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createTransport(plainConnection(url), {
    onAnswer: (verb, code) => codes.push(`${verb} ${code}`),
  });
  const caches = createCaches({
    transport,
    ...{ onChange: () => undefined, onServed: () => undefined, onTrouble: () => undefined },
  });
  cluster = new KubernetesCluster(transport, caches, new Discovery({ transport, onChange: () => undefined }));
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

describe('a write', () => {
  it('is a server-side apply as our field manager, and its answer is known at once', async () => {
    await cluster.apply(service);
    expect(heard).toEqual([
      {
        line: `PATCH ${path}?fieldManager=headgate&force=true`,
        type: 'application/apply-patch+yaml',
        // A version that nothing has: refused as a conflict where there is something already.
        body: { ...service, metadata: { ...service.metadata, resourceVersion: '1' } },
      },
    ]);
    expect(cluster.cached('Service', 'ml', 'fraud')?.metadata).toMatchObject({
      uid: 'uid',
      resourceVersion: '101',
    });
  });

  it('is of the very life and version of the object on which it is based, whatever has been heard since', async () => {
    await cluster.apply(service);
    await cluster.apply(service, { uid: 'uid', resourceVersion: '77' });
    await cluster.apply(service);
    expect(heard.slice(1).map(({ body }) => (body as KubernetesObject).metadata)).toEqual([
      { ...service.metadata, uid: 'uid', resourceVersion: '77' },
      { ...service.metadata, resourceVersion: '1' },
    ]);
  });

  it('overwrites an object that others have made impossible to apply to', async () => {
    await cluster.apply(service);
    answers = [{ status: 422, body: { reason: 'Invalid', message: 'two ports of one name' } }];
    await cluster.apply(service, { uid: 'uid', resourceVersion: '101' });
    expect(heard.slice(1).map(({ line, type }) => `${line} ${type ?? ''}`)).toEqual([
      `PATCH ${path}?fieldManager=headgate&force=true application/apply-patch+yaml`,
      `PATCH ${path}?fieldManager=headgate application/merge-patch+json`,
    ]);
    expect(heard[2]?.body).toMatchObject({ metadata: { resourceVersion: '101' } });
  });

  it('does not try that on an object that does not exist', async () => {
    answers = [{ status: 422, body: { reason: 'Invalid', message: 'no such field' } }];
    await expect(cluster.apply(service)).rejects.toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'no such field',
    });
    expect(heard).toHaveLength(1);
  });

  it.each<[number, unknown, object]>([
    [
      404,
      { reason: 'NotFound', message: 'no kind' },
      { status: 404, reason: 'NotFound', message: 'no kind' },
    ],
    [500, 'etcd is away', { status: 500, reason: 'Unknown', message: 'etcd is away' }],
    [503, '', { status: 503, reason: 'Unknown', message: '' }],
    [429, '<html>', { status: 429, reason: 'Unknown', message: '<html>' }],
    [403, {}, { status: 403, reason: 'Unknown', causes: [] }],
    [
      403,
      { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }, {}] } },
      { reason: 'Forbidden', causes: ['NamespaceTerminating'] },
    ],
  ])('that is answered with %i %j fails with that', async (status, body, error) => {
    answers = [{ status, body }];
    await expect(cluster.apply(service)).rejects.toMatchObject(error);
    expect(codes).toEqual([`patch ${status}`]);
  });

  it('that is answered with no JSON fails, and says what was attempted', async () => {
    answers = [{ status: 200, body: 'half of {' }];
    await expect(cluster.apply(service)).rejects.toThrow(`PATCH ${path}: `);
  });

  it('that meets nobody fails, and counts as unanswered', async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await expect(cluster.apply(service)).rejects.toThrow(/ECONNREFUSED/);
    expect(codes).toEqual(['patch 0']);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
});

describe('a name that is there already', () => {
  const ours = {
    ...service,
    metadata: {
      ...service.metadata,
      labels: { 'headgate.dev/model-deployment': 'fraud' },
      ownerReferences: [
        { apiVersion: 'headgate.dev/v1alpha1', kind: 'ModelDeployment', name: 'fraud', uid: 'o' },
      ],
    },
  };
  const conflict = { status: 409, body: { reason: 'Conflict', message: 'modified' } };

  function found(metadata: object): { readonly status: number; readonly body: unknown } {
    return { status: 200, body: { items: [{ metadata: { ...service.metadata, uid: 'u7', ...metadata } }] } };
  }

  it('is left alone when it is of somebody else', async () => {
    answers = [conflict, found({ labels: { app: 'fraud' } })];
    await expect(cluster.apply(ours)).rejects.toThrow(NameTakenError);
    expect(heard.map(({ line }) => line)).toEqual([
      `PATCH ${path}?fieldManager=headgate&force=true`,
      'GET /api/v1/namespaces/ml/services?fieldSelector=metadata.name%3Dfraud',
    ]);
  });

  it('is left alone when it is of another ModelDeployment, without a question', async () => {
    await cluster.apply(ours);
    const labels = { 'headgate.dev/model-deployment': 'other' };
    await expect(cluster.apply({ ...ours, metadata: { ...ours.metadata, labels } })).rejects.toThrow(
      NameTakenError,
    );
    expect(heard).toHaveLength(1);
  });

  it('is a conflict when it is ours and not heard of yet, or gone again', async () => {
    answers = [
      conflict,
      found({ labels: ours.metadata.labels }),
      conflict,
      { status: 200, body: { items: null } },
    ];
    await expect(cluster.apply(ours)).rejects.toMatchObject({ status: 409 });
    await expect(cluster.apply(ours)).rejects.toMatchObject({ status: 409 });
  });

  it('is written over, as it was read, when it is ours and has lost its labels', async () => {
    const { ownerReferences } = ours.metadata;
    answers = [conflict, found({ ownerReferences, resourceVersion: '70' })];
    await cluster.apply(ours);
    expect(heard[2]?.body).toEqual({
      ...ours,
      metadata: { ...ours.metadata, uid: 'u7', resourceVersion: '70' },
    });
  });
});

describe('a removal', () => {
  const version = { uid: 'uid', resourceVersion: '101' };
  const reference = { apiVersion: 'v1', kind: 'Service', namespace: 'ml', name: 'fraud', ...version };

  it('is of this very version of the object, which is then gone at once', async () => {
    await cluster.apply(service);
    answers = [{ status: 200, body: { kind: 'Status', status: 'Success' } }];
    await cluster.remove(reference);
    expect(heard[1]).toMatchObject({ line: `DELETE ${path}`, body: { preconditions: version } });
    expect(cluster.cached('Service', 'ml', 'fraud')).toBeUndefined();
  });

  it('leaves an object known that its finalizers keep', async () => {
    await cluster.apply(service);
    const metadata = {
      ...service.metadata,
      uid: 'uid',
      resourceVersion: '200',
      deletionTimestamp: '2026-01-01T00:00:00Z',
    };
    answers = [{ status: 200, body: { ...service, metadata } }];
    await cluster.remove(reference);
    expect(cluster.cached('Service', 'ml', 'fraud')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('of what is gone already is no failure', async () => {
    answers = [{ status: 404, body: { reason: 'NotFound', message: 'gone' } }];
    await expect(cluster.remove(reference)).resolves.toBeUndefined();
  });

  it('of another version or life of the name is a conflict', async () => {
    answers = [{ status: 409, body: { reason: 'Conflict', message: 'the UID in the precondition differs' } }];
    await expect(cluster.remove(reference)).rejects.toMatchObject({ status: 409 });
  });
});

describe('beside the objects', () => {
  const owner = {
    ...service,
    apiVersion: 'headgate.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { ...service.metadata, uid: 'u', resourceVersion: '5' },
  };

  it('a status is written only over the version that was read', async () => {
    await cluster.patchStatus(owner, { phase: 'Healthy' });
    expect(heard[0]).toMatchObject({
      line: 'PATCH /apis/headgate.dev/v1alpha1/namespaces/ml/modeldeployments/fraud/status?fieldManager=headgate&force=true',
      body: { metadata: { uid: 'u', resourceVersion: '5' }, status: { phase: 'Healthy' } },
    });
  });

  it('an event that is recorded already is no failure, and has the same name again', async () => {
    const event = { type: 'Normal', reason: 'Healthy', message: 'x'.repeat(5_000) } as const;
    await cluster.recordEvent(owner, event);
    answers = [{ status: 409, body: { reason: 'AlreadyExists', message: 'exists' } }];
    await cluster.recordEvent(owner, event);
    const [first, second] = heard.map(({ body }) => body as KubernetesObject & { readonly message: string });
    expect(first?.metadata.name).toBe(second?.metadata.name);
    expect(first?.message).toHaveLength(1024);
  });

  it('an event that meets another conflict than its own name is a failure', async () => {
    answers = [{ status: 409, body: { reason: 'Conflict', message: 'the quota is being changed' } }];
    const event = { type: 'Normal', reason: 'Healthy', message: '' } as const;
    await expect(cluster.recordEvent(owner, event)).rejects.toMatchObject({ status: 409 });
  });

  it('reading what is not there gives nothing, and an empty list is a list', async () => {
    answers = [
      { status: 404, body: {} },
      { status: 200, body: { items: null } },
    ];
    await expect(cluster.read('Gateway', 'ml', 'x')).resolves.toBeUndefined();
    await expect(cluster.list('Pod', undefined, 'istio=public')).resolves.toEqual([]);
    expect(heard[1]?.line).toBe('GET /api/v1/pods?labelSelector=istio%3Dpublic');
  });
});
