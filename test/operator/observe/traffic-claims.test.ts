import { describe, expect, it } from 'vitest';
import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import type { Change } from '../../../operator/controller/object-store.ts';
import { TrafficClaims } from '../../../operator/observe/traffic-claims.ts';
import { routers } from '../../../operator/traffic/index.ts';
import { routeAllTo } from '../../../operator/traffic/routing.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { newModelDeployment } from '../../support/scene.ts';

const everything = [{ namespaces: ['*'], gateways: ['*'], hosts: ['*'] }];

function named(name: string, traffic: object = {}, createdAt = '2026-01-02T00:00:00Z'): ModelDeployment {
  const { metadata, spec, ...rest } = newModelDeployment(name);
  return {
    ...rest,
    metadata: { ...metadata, name, uid: name, creationTimestamp: createdAt },
    spec: { ...spec, traffic: { ...spec.traffic, ...traffic } },
  };
}

class CountingCluster extends FakeCluster {
  looks = 0;

  override cached(...names: Parameters<FakeCluster['cached']>): ReturnType<FakeCluster['cached']> {
    this.looks += 1;
    return super.cached(...names);
  }
}

/** What all want, as the caches bring it. */
function world(policy = everything) {
  const cluster = new CountingCluster();
  const claims = new TrafficClaims(cluster, policy);
  return {
    cluster,
    claims,
    put: (modelDeployment: ModelDeployment): readonly string[] => {
      const { namespace, name } = modelDeployment.metadata;
      const previous = cluster.cached('ModelDeployment', namespace, name);
      cluster.put(modelDeployment);
      const change: Change = {
        type: previous ? 'Modified' : 'Added',
        object: modelDeployment,
        ...(previous && { previous }),
      };
      return [...claims.update(change)];
    },
    refused: (modelDeployment: ModelDeployment) =>
      claims.refusalsOf(modelDeployment).map(({ reason }) => reason),
  };
}

describe('what all ModelDeployments want of gateways', () => {
  it('goes to the first, and to the next one when that one is gone', async () => {
    const { claims, cluster, put, refused } = world();
    const [first, second] = [named('first', {}, '2026-01-01T00:00:00Z'), named('second')];
    expect(put(first)).toEqual([]);
    expect(put(second)).toEqual(['ml/first']);
    expect(refused(first)).toEqual([]);
    expect(refused(second)).toEqual(['HostConflict']);
    await cluster.remove({ apiVersion: '', kind: 'ModelDeployment', namespace: 'ml', name: 'first' });
    expect([...claims.update({ type: 'Deleted', object: first })]).toEqual(['ml/second']);
    expect(refused(second)).toEqual([]);
  });

  it('concerns the others only when it changes', () => {
    const { put, refused } = world();
    const first = named('first', {}, '2026-01-01T00:00:00Z');
    put(first);
    put(named('second'));
    expect(put({ ...first, status: { phase: 'Healthy' } })).toEqual([]);
    expect(put(named('first', { pathPrefix: '/elsewhere' }, '2026-01-01T00:00:00Z'))).toEqual(['ml/second']);
    expect(refused(named('second'))).toEqual([]);
  });

  it('is not taken from the one whose live routes serve it', () => {
    const { cluster, put, refused } = world();
    const [serving, old] = [named('serving'), named('old', {}, '2026-01-01T00:00:00Z')];
    put(serving);
    put(old);
    expect(refused(serving)).toEqual(['HostConflict']);
    for (const object of routers.istio.render(serving, routeAllTo('serving-1')).objects) cluster.put(object);
    expect(refused(serving)).toEqual([]);
    expect(refused(old)).toEqual(['HostConflict']);
    // What it serves at one prefix gives it no right to another.
    expect(refused(named('serving', { pathPrefix: '/' }))).toEqual(['HostConflict']);
  });

  it('is decided for each of 10,000 on one host by a look at none of the others', { timeout: 60_000 }, () => {
    const { cluster, claims, put } = world();
    const all = Array.from({ length: 10_000 }, (_, index) =>
      named(`m-${index}`, { pathPrefix: `/models/m-${index}` }),
    );
    expect(all.flatMap((one) => put(one))).toEqual([]);
    cluster.looks = 0;
    expect(all.flatMap((one) => claims.refusalsOf(one))).toEqual([]);
    // Its own routes, once each.
    expect(cluster.looks).toBe(all.length);
  });

  it('is refused where the platform does not allow it', () => {
    const { put, refused } = world([]);
    const one = named('one');
    put(one);
    expect(refused(one)).toEqual(['HostNotAllowed']);
    expect(refused(named('inside', { hosts: undefined, gateways: undefined }))).toEqual([]);
  });
});
