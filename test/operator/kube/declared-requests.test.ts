import { describe, expect, test } from 'vitest';
import {
  declaredRequestsOnly,
  neededGrants,
  UndeclaredRequestError,
} from '../../../operator/kube/declared-requests.ts';
import { declaredGrants } from '../../../operator/kube/grants.ts';
import type { ApiRequest, Transport } from '../../../operator/controller/transport.ts';

const apply = 'application/apply-patch+yaml';
const merge = 'application/merge-patch+json';

describe('the rights that a request needs', () => {
  test.each<[string, ApiRequest, readonly string[]]>([
    ['a list in all namespaces', { method: 'GET', path: '/api/v1/pods' }, ['list pods']],
    [
      'a list in one',
      { method: 'GET', path: '/apis/apps/v1/namespaces/ml/deployments' },
      ['list deployments.apps'],
    ],
    [
      'a watch',
      { method: 'GET', path: '/apis/apps/v1/deployments', query: { watch: 'true' } },
      ['watch deployments.apps'],
    ],
    ['one object', { method: 'GET', path: '/api/v1/namespaces/ml/secrets/key' }, ['get secrets']],
    ['a namespace itself', { method: 'GET', path: '/api/v1/namespaces/ml' }, ['get namespaces']],
    ['all namespaces', { method: 'GET', path: '/api/v1/namespaces' }, ['list namespaces']],
    ['a new object', { method: 'POST', path: '/api/v1/namespaces/ml/events' }, ['create events']],
    [
      'an apply, which may make the object',
      { method: 'PATCH', path: '/api/v1/namespaces/ml/services/fraud', contentType: apply },
      ['patch services', 'create services'],
    ],
    [
      'a merge patch, which cannot',
      { method: 'PATCH', path: '/api/v1/namespaces/ml/services/fraud', contentType: merge },
      ['patch services'],
    ],
    [
      'the apply of a status',
      {
        method: 'PATCH',
        path: '/apis/headgate.dev/v1alpha1/namespaces/ml/modeldeployments/fraud/status',
        contentType: apply,
      },
      ['patch modeldeployments.headgate.dev/status'],
    ],
    ['a removal', { method: 'DELETE', path: '/api/v1/namespaces/ml/services/fraud' }, ['delete services']],
    [
      'a removal of all',
      { method: 'DELETE', path: '/api/v1/namespaces/ml/services' },
      ['deletecollection services'],
    ],
    ['a way into a pod', { method: 'POST', path: '/api/v1/namespaces/ml/pods/a/exec' }, ['create pods/exec']],
    ['the discovery of an API', { method: 'GET', path: '/apis/networking.istio.io/v1' }, []],
    ['the discovery of the core API', { method: 'GET', path: '/api/v1' }, []],
  ])('for %s', (_, request, needed) => {
    expect(neededGrants(request)).toEqual(needed);
  });
});

describe('a transport of declared requests only', () => {
  const sent: ApiRequest[] = [];
  const open: Transport = {
    request: (request) => Promise.resolve(sent.push(request)),
    lines: (request) => {
      sent.push(request);
      throw new Error('no line is asked for');
    },
  };
  const transport = declaredRequestsOnly(open, declaredGrants());
  const stream = { idleMs: 1_000, signal: AbortSignal.timeout(1_000) };

  test('sends what is declared', async () => {
    const request = { method: 'GET', path: '/api/v1/namespaces/ml/pods' } as const;
    await transport.request(request);
    expect(sent).toEqual([request]);
  });

  test.each<ApiRequest>([
    { method: 'GET', path: '/api/v1/namespaces/ml/secrets/key' },
    { method: 'DELETE', path: '/apis/headgate.dev/v1alpha1/namespaces/ml/modeldeployments/fraud' },
    { method: 'POST', path: '/api/v1/namespaces/ml/pods/fraud-0/exec' },
  ])('keeps back $method $path, and says what would allow it', async (request) => {
    sent.length = 0;
    await expect(transport.request(request)).rejects.toThrow(UndeclaredRequestError);
    await expect(transport.request(request)).rejects.toThrow('operator/kube/grants.ts');
    expect(sent).toEqual([]);
  });

  test('keeps back a watch, too', () => {
    sent.length = 0;
    const request = { method: 'GET', path: '/api/v1/secrets', query: { watch: 'true' } } as const;
    expect(() => transport.lines(request, stream)).toThrow('watch secrets');
    expect(sent).toEqual([]);
  });
});
