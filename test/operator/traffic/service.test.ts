import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { routerFor, routers } from '../../../operator/traffic/index.ts';
import { routeAllTo, splitBetween } from '../../../operator/traffic/routing.ts';
import { modelDeploymentWith } from '../../support/model-deployment.ts';

const { istio, service } = routers;
const STABLE = 'fraud-bbbbbbbbbb';
const CANDIDATE = 'fraud-cccccccccc';
const modelDeployment = modelDeploymentWith();

function renderedWith(weight: number): KubernetesObject {
  const [object] = service.render(modelDeployment, splitBetween(STABLE, CANDIDATE, weight)).objects;
  if (object === undefined) throw new Error('nothing was rendered');
  return object;
}

describe('the router in force', () => {
  test.each([
    { served: true, chosen: 'Automatic', is: istio },
    { served: true, chosen: 'Service', is: service },
    { served: false, chosen: 'Automatic', is: service },
    { served: false, chosen: 'Service', is: service },
  ] as const)('with Istio $served and spec.traffic.router $chosen', ({ served, chosen, is }) => {
    const platform = { istio: served, customMetrics: true };
    expect(routerFor(modelDeploymentWith({ traffic: { router: chosen } }), platform)).toBe(is);
  });
});

describe('the entry Service as the route', () => {
  test('selects the one revision that gets everything, and notes who is staged', () => {
    expect(renderedWith(0)).toMatchObject({
      kind: 'Service',
      metadata: { name: 'fraud', annotations: { 'headgate.dev/staged': CANDIDATE } },
      spec: { selector: { 'headgate.dev/revision': STABLE } },
    });
    expect(renderedWith(10_000)).toMatchObject({
      metadata: { annotations: { 'headgate.dev/staged': STABLE } },
      spec: { selector: { 'headgate.dev/revision': CANDIDATE } },
    });
  });

  test('bears no note when nobody is staged', () => {
    const [object] = service.render(modelDeployment, routeAllTo(STABLE)).objects;
    expect(object?.metadata.annotations).toBeUndefined();
  });

  test('is read as it is, with what the API server and others add to it', () => {
    const { hash } = service.render(modelDeployment, routeAllTo(STABLE));
    const [object] = service.render(modelDeployment, routeAllTo(STABLE)).objects;
    const live = JSON.parse(JSON.stringify(object)) as KubernetesObject & { spec: { ports: object[] } };
    const ports = [...live.spec.ports.map((port) => ({ ...port, nodePort: 30_080 })), { port: 9000 }];
    const spec = { ...live.spec, ports, clusterIP: '10.0.0.7', sessionAffinity: 'None' };
    expect(service.liveHash([Object.assign({ ...live }, { spec })], modelDeployment)).toBe(hash);
  });

  test('without a selector for a revision gives nobody anything, and forgets nobody', () => {
    const live = Object.assign(renderedWith(0), { spec: { selector: { app: 'somebody' } } });
    expect(service.readRouting([live], modelDeployment)).toEqual({
      destinations: [{ revision: CANDIDATE, weight: 0 }],
    });
    const bare = Object.assign(renderedWith(0), { spec: undefined });
    expect(service.readRouting([bare], modelDeployment)?.destinations).toHaveLength(1);
  });

  test('takes the routes of Istio away where it was chosen, then their policies, and leaves them where Istio is only away', () => {
    const routes = istio.render(modelDeployment, routeAllTo(STABLE)).objects;
    const chosen = modelDeploymentWith({ traffic: { router: 'Service' } });
    const policies = istio.policiesFor(modelDeployment, STABLE);
    expect(service.obsolete([...policies, ...routes], chosen)).toEqual(routes);
    expect(service.obsoletePolicies([...policies, ...routes], chosen)).toEqual([]);
    expect(service.obsoletePolicies(policies, chosen)).toEqual(policies);
    expect(service.obsoletePolicies(policies, chosen)).toHaveLength(1);
    expect(service.obsoletePolicies(policies, modelDeployment)).toEqual([]);
    expect(service.obsolete([...policies, ...routes], modelDeployment)).toEqual([]);
  });
});
