import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import { headers } from '../../../operator/api/names.ts';
import { routers } from '../../../operator/traffic/index.ts';
import {
  FULL_WEIGHT,
  routeAllTo,
  sameRouting,
  splitBetween,
  type Mirror,
  type Preview,
  type Routing,
} from '../../../operator/traffic/routing.ts';
import type { DestinationRule } from '../../../operator/traffic/istio-destination-rule.ts';
import type { HttpRoute } from '../../../operator/traffic/istio-routes.ts';
import type { VirtualService } from '../../../operator/traffic/istio-virtual-service.ts';
import { modelDeploymentWith, publicTraffic } from '../../support/model-deployment.ts';

const { istio } = routers;
const STABLE = 'fraud-bbbbbbbbbb';
const CANDIDATE = 'fraud-cccccccccc';
const split = splitBetween(STABLE, CANDIDATE, 500);
const inMeshOnly = modelDeploymentWith();
const published = modelDeploymentWith({ traffic: publicTraffic });

function rendered(modelDeployment: ModelDeployment, routing: Routing = split): readonly VirtualService[] {
  return istio.render(modelDeployment, routing).objects as readonly VirtualService[];
}

function fromGateways(modelDeployment = published, routing: Routing = split): VirtualService {
  const found = rendered(modelDeployment, routing).find(({ metadata }) => metadata.name === 'fraud');
  if (found === undefined) throw new Error('no VirtualService for gateways');
  return found;
}

function inMesh(modelDeployment = published, routing: Routing = split): VirtualService {
  const found = rendered(modelDeployment, routing).find(({ metadata }) => metadata.name === 'fraud.mesh');
  if (found === undefined) throw new Error('no VirtualService for the mesh');
  return found;
}

/** Any division of the traffic among one to four revisions. */
const anyDivision: fc.Arbitrary<Routing> = fc
  .array(fc.integer({ min: 0, max: FULL_WEIGHT }), { minLength: 0, maxLength: 3 })
  .map((cuts) => {
    const edges = [0, ...cuts.sort((left, right) => left - right), FULL_WEIGHT];
    return {
      destinations: edges.slice(1).map((edge, index) => ({
        revision: `fraud-${'bcdf'.charAt(index).repeat(10)}`,
        weight: edge - (edges[index] ?? 0),
      })),
    };
  });
const anyRevision = fc.constantFrom(STABLE, CANDIDATE, 'fraud-dddddddddd');
const anyMirror: fc.Arbitrary<Mirror> = fc
  .tuple(anyRevision, fc.integer({ min: 1, max: FULL_WEIGHT }))
  .map(([revision, weight]) => ({ revision, weight }));
const anyPreview: fc.Arbitrary<Preview> = fc
  .tuple(anyRevision, fc.constantFrom('x-try', 'x-color'), fc.base64String({ minLength: 4 }))
  .map(([revision, name, value]) => ({ revision, match: { header: { name, value } } }));
/** Any routing that can be asked for inside the mesh too, where there are no hosts for previews. */
const anyRouting: fc.Arbitrary<Routing> = fc
  .tuple(anyDivision, fc.array(anyMirror, { maxLength: 2 }), fc.array(anyPreview, { maxLength: 2 }))
  .map(([{ destinations }, mirrors, previews]) => ({ destinations, mirrors, previews }));
const anyModelDeployment = fc.constantFrom(
  inMeshOnly,
  published,
  modelDeploymentWith({ traffic: { ...publicTraffic, pathPrefix: '/' } }),
  modelDeploymentWith({ traffic: { ...publicTraffic, exportTo: ['.'], retries: { attempts: 3 } } }),
);

describe('a rendered routing', () => {
  test('has weights that sum to the whole in every route, whatever the routing (I4)', () => {
    fc.assert(
      fc.property(anyModelDeployment, anyRouting, (modelDeployment, routing) => {
        for (const { spec } of rendered(modelDeployment, routing)) {
          for (const { route } of spec.http.filter((each) => each.route !== undefined)) {
            expect(route?.reduce((sum, { weight }) => sum + weight, 0)).toBe(FULL_WEIGHT);
          }
        }
      }),
    );
  });

  test('reads back as itself, whatever the routing', () => {
    fc.assert(
      fc.property(anyModelDeployment, anyRouting, (modelDeployment, routing) => {
        const { objects, hash } = istio.render(modelDeployment, routing);
        expect(sameRouting(istio.readRouting(objects, modelDeployment), routing)).toBe(true);
        expect(istio.liveHash(objects, modelDeployment)).toBe(hash);
      }),
    );
  });

  test('has another hash than any other routing', () => {
    fc.assert(
      fc.property(anyRouting, anyRouting, (left, right) => {
        fc.pre(JSON.stringify(left) !== JSON.stringify(right));
        expect(istio.render(published, left).hash).not.toBe(istio.render(published, right).hash);
      }),
    );
  });

  test('keeps a destination of weight 0, so that proxies know it before anybody is sent there (I3)', () => {
    const staged = fromGateways(published, splitBetween(STABLE, CANDIDATE, 0));
    expect(staged.spec.http[1]?.route?.map(({ destination, weight }) => [destination.host, weight])).toEqual([
      [`${STABLE}.ml.svc.cluster.local`, 10_000],
      [`${CANDIDATE}.ml.svc.cluster.local`, 0],
    ]);
  });

  test('names the port of every destination: that of gRPC for what says that it is gRPC', () => {
    for (const { spec } of rendered(published)) {
      const ports = spec.http.map(({ name, match, route = [] }) => ({
        ...{ name, isGrpc: match.every(({ headers }) => headers?.['content-type'] !== undefined) },
        ports: [...new Set(route.map(({ destination }) => destination.port.number))],
      }));
      expect(ports.slice(1)).toEqual([
        { name: 'model-grpc-stream', isGrpc: true, ports: [8081] },
        { name: 'model-grpc', isGrpc: true, ports: [8081] },
        { name: 'model', isGrpc: false, ports: [80] },
      ]);
    }
  });

  test('gives gRPC and HTTP the same shares, copies, headers, timeout and retries', () => {
    const routing = {
      ...splitBetween(STABLE, CANDIDATE, 2500),
      mirrors: [{ revision: CANDIDATE, weight: 1250 }],
    };
    for (const { spec } of rendered(published, routing)) {
      const [, stream, grpc, http] = spec.http;
      const withPort = JSON.stringify({ ...grpc, name: 'model', match: http?.match });
      expect(withPort.replaceAll('{"number":8081}', '{"number":80}')).toBe(JSON.stringify(http));
      const { name, match, rewrite, timeout, ...ofStreams } = stream as HttpRoute;
      expect(grpc).toMatchObject(ofStreams);
    }
  });

  test('belongs to its ModelDeployment, which takes it along when it is deleted and never waits for it (I14)', () => {
    for (const { metadata } of rendered(published)) {
      expect(metadata.ownerReferences).toEqual([
        expect.objectContaining({ uid: published.metadata.uid, controller: true, blockOwnerDeletion: false }),
      ]);
    }
  });
});

describe('the routes', () => {
  test('begin with the probe, which a proxy answers by itself with the hash of what it holds', () => {
    const { hash } = istio.render(published, split);
    expect(fromGateways().spec.http[0]).toEqual({
      name: 'headgate-routing',
      match: [{ uri: { exact: '/fraud/.headgate/routing' } }],
      directResponse: { status: 200, body: { string: hash } },
    });
    expect(inMesh().spec.http[0]?.match).toEqual([{ uri: { exact: '/.headgate/routing' } }]);
    expect(inMesh().spec.http[0]?.directResponse?.body.string).toBe(hash);
  });

  test('stamp each request with the routing, and with the revision that was chosen', () => {
    const { hash } = istio.render(published, split);
    for (const { spec } of rendered(published)) {
      const [, users] = spec.http;
      expect(users?.headers).toEqual({ request: { set: { [headers.routing]: hash } } });
      expect(users?.route?.map((each) => each.headers.request.set)).toEqual([
        { [headers.destination]: STABLE },
        { [headers.destination]: CANDIDATE },
      ]);
    }
  });

  test("say how often to try again even at 0, where Istio's silence means twice", () => {
    for (const { retries } of rendered(published).flatMap(({ spec }) => spec.http.slice(1)))
      expect(retries).toEqual({ attempts: 0 });
  });

  test('carry the retries and the timeout of the spec, inside the mesh too', () => {
    const patient = modelDeploymentWith({
      traffic: { ...publicTraffic, retries: { attempts: 2 }, timeout: '1m30s' },
    });
    for (const { spec } of rendered(patient)) {
      const [, , ...others] = spec.http;
      expect(others.map(({ retries, timeout }) => [retries?.attempts, timeout])).toEqual([
        [2, '90s'],
        [2, '90s'],
      ]);
    }
  });

  test('end no stream over gRPC, which the timeout would count as one request', () => {
    const paths = ['/fraud/inference.GRPCInferenceService/ModelStreamInfer', undefined];
    for (const [index, { spec }] of [fromGateways(), inMesh()].entries()) {
      const [, stream] = spec.http;
      expect(stream).toMatchObject({ name: 'model-grpc-stream', retries: { attempts: 0 } });
      expect(stream).not.toHaveProperty('timeout');
      expect(stream?.match).toEqual([
        {
          uri: { exact: paths[index] ?? '/inference.GRPCInferenceService/ModelStreamInfer' },
          headers: { 'content-type': { prefix: 'application/grpc' } },
        },
      ]);
    }
    expect(fromGateways().spec.http[1]?.rewrite).toEqual({
      uri: '/inference.GRPCInferenceService/ModelStreamInfer',
    });
  });

  test('cut the prefix off, so that the model sees the paths that it knows', () => {
    const [, , grpc, users] = fromGateways().spec.http;
    expect(users?.match).toEqual([{ uri: { prefix: '/fraud/' } }, { uri: { exact: '/fraud' } }]);
    expect(grpc?.match.map(({ uri }) => ({ uri }))).toEqual(users?.match);
    expect(users?.rewrite).toEqual({ uri: '/' });
  });

  test('leave paths alone where there is no prefix', () => {
    const atRoot = modelDeploymentWith({ traffic: { ...publicTraffic, pathPrefix: '/' } });
    const [, , , users] = fromGateways(atRoot).spec.http;
    expect(users?.match).toEqual([{ uri: { prefix: '/' } }]);
    expect(users).not.toHaveProperty('rewrite');
  });
});

describe('two VirtualServices', () => {
  test('serve the hosts at the gateways, and the entry Service at the sidecars', () => {
    const two = modelDeploymentWith({
      traffic: {
        ...publicTraffic,
        hosts: ['a.example.com', 'b.example.com'],
        gateways: ['infra/one', 'infra/two'],
      },
    });
    expect(fromGateways(two).spec).toMatchObject({
      hosts: ['a.example.com', 'b.example.com'],
      gateways: ['infra/one', 'infra/two'],
    });
    expect(inMesh(two).spec).toMatchObject({ hosts: ['fraud.ml.svc.cluster.local'], gateways: ['mesh'] });
  });

  test('give neighbours in the mesh the paths without a prefix, as at the Service itself', () => {
    expect(inMesh().spec.http[3]?.match).toEqual([{ uri: { prefix: '/' } }]);
  });

  test('are one only where the spec names no gateway', () => {
    expect(rendered(inMeshOnly).map(({ metadata }) => metadata.name)).toEqual(['fraud.mesh']);
  });

  test('of two ModelDeployments on one host claim paths that no request belongs to both of', () => {
    const pathsOf = (prefix: string): unknown[] =>
      fromGateways(
        modelDeploymentWith({ traffic: { ...publicTraffic, pathPrefix: prefix } }),
      ).spec.http.flatMap(({ match }) => match);
    // /fraud must not take what is /fraudulent's.
    expect(pathsOf('/fraud')).not.toContainEqual({ uri: { prefix: '/fraud' } });
    expect(pathsOf('/fraudulent')).toContainEqual({ uri: { prefix: '/fraudulent/' } });
  });
});

describe('where the routes are seen', () => {
  const scoped = (exportTo: string[], gateways = ['istio-system/public']): ModelDeployment =>
    modelDeploymentWith({ traffic: { ...publicTraffic, gateways, exportTo } });

  test('is everywhere when the spec does not say', () => {
    for (const { spec } of rendered(published)) expect(spec).not.toHaveProperty('exportTo');
    expect(istio.policiesFor(published, STABLE)[0]).not.toHaveProperty('spec.exportTo');
  });

  test('includes the namespaces of the gateways, which could not answer otherwise', () => {
    expect(fromGateways(scoped(['.'])).spec.exportTo).toEqual(['.', 'istio-system']);
    expect(istio.policiesFor(scoped(['.']), STABLE)[0]).toHaveProperty('spec.exportTo', [
      '.',
      'istio-system',
    ]);
    expect(inMesh(scoped(['.', 'shop'])).spec.exportTo).toEqual(['.', 'shop']);
  });

  test('names each namespace once, since Istio refuses its own as . and by name', () => {
    expect(fromGateways(scoped(['.'], ['ml/own'])).spec.exportTo).toEqual(['.']);
    expect(inMesh(scoped(['.', 'ml'])).spec.exportTo).toEqual(['.']);
  });

  test('stays everywhere when the spec says so', () => {
    expect(fromGateways(scoped(['*'])).spec.exportTo).toEqual(['*']);
  });
});

describe('live objects', () => {
  const { objects, hash } = istio.render(published, split);
  const [mesh, gateway] = objects as readonly [VirtualService, VirtualService];

  /** The first user route with other members. */
  function edited(object: VirtualService, change: Readonly<Record<string, unknown>>): VirtualService {
    const [probe, users] = object.spec.http;
    if (probe === undefined || users === undefined) throw new Error('two routes are rendered');
    return { ...object, spec: { ...object.spec, http: [probe, { ...users, ...change }] } };
  }

  test('of which there are none mean that nothing was asked for', () => {
    expect(istio.readRouting([], published)).toBeUndefined();
    expect(istio.liveHash([], published)).toBeUndefined();
  });

  test('have the hash of the rendering even when the API server has put things into them', () => {
    const asStored = objects.map((object) => ({
      ...object,
      metadata: { ...object.metadata, resourceVersion: '7', annotations: { 'example.com/note': 'mine' } },
      status: {},
    }));
    expect(istio.liveHash(asStored, published)).toBe(hash);
  });

  test.each([
    ['a timeout that was edited', [mesh, edited(gateway, { timeout: '99s' })]],
    ['a header that was taken out', [mesh, edited(gateway, { headers: undefined })]],
    [
      'a mirror that was added',
      [edited(mesh, { mirrors: [{ destination: { host: 'elsewhere' } }] }), gateway],
    ],
    ['one of two that is missing', [mesh]],
  ])('have a hash that no proxy answers with %s', (_, live) => {
    expect(istio.liveHash(live, published)).not.toBe(hash);
  });

  test('between two writes reference every revision that either of them names (I3)', () => {
    const next = istio.render(published, splitBetween(STABLE, 'fraud-dddddddddd', 100)).objects;
    const live = [next[0], gateway].filter((object) => object !== undefined);
    expect(istio.readRouting(live, published)?.destinations).toEqual([
      { revision: STABLE, weight: 9900 },
      { revision: 'fraud-dddddddddd', weight: 100 },
      { revision: CANDIDATE, weight: 0 },
    ]);
    expect(istio.liveHash(live, published)).not.toBe(istio.render(published, split).hash);
  });

  test('of others in the namespace are not ours', () => {
    const foreign = { ...gateway, metadata: { ...gateway.metadata, name: 'credit' } };
    expect(istio.readRouting([foreign], published)).toBeUndefined();
  });

  test('that a hand has emptied are read as nothing', () => {
    const empty = { ...mesh, spec: {} };
    expect(sameRouting(istio.readRouting([empty], published), { destinations: [] })).toBe(true);
  });

  test('for gateways are obsolete once the spec names none', () => {
    expect(istio.obsolete(objects, inMeshOnly).map(({ metadata }) => metadata.name)).toEqual(['fraud']);
    expect(istio.obsolete(objects, published)).toEqual([]);
  });
});

describe('the policy towards a revision', () => {
  const policyOf = (modelDeployment: ModelDeployment): Record<string, unknown> => {
    const [rule] = istio.policiesFor(modelDeployment, STABLE) as readonly DestinationRule[];
    return { host: rule?.spec.host, ...rule?.spec.trafficPolicy };
  };
  const replicas = (minReplicas: number, maxReplicas = 10): ModelDeployment =>
    modelDeploymentWith({ scaling: { minReplicas, maxReplicas, targetP95: '100ms' } });

  test('asks the least busy pod, and closes idle connections before the runtime does', () => {
    expect(policyOf(published)).toMatchObject({
      host: `${STABLE}.ml.svc.cluster.local`,
      loadBalancer: { simple: 'LEAST_REQUEST' },
      connectionPool: { http: { idleTimeout: '60s' } },
    });
  });

  test('limits nothing below what all queues together take, since the runtime sheds more kindly', () => {
    const deep = modelDeploymentWith({
      runtime: { queue: { maxDepth: 5000 } },
      scaling: { minReplicas: 1, maxReplicas: 40, targetP95: '100ms' },
    });
    expect(policyOf(deep)).toMatchObject({ connectionPool: { http: { http2MaxRequests: 400_000 } } });
    expect(policyOf(replicas(1, 1))).toMatchObject({
      connectionPool: { http: { http2MaxRequests: 10_000 } },
    });
  });

  test('takes out broken pods from three pods up, and never for answers of the model itself', () => {
    expect(policyOf(replicas(2))).not.toHaveProperty('outlierDetection');
    expect(policyOf(replicas(3))).toMatchObject({ outlierDetection: { consecutive5xxErrors: 0 } });
  });

  test('does not depend on the routing', () => {
    expect(istio.render(published, routeAllTo(STABLE)).objects.map(({ kind }) => kind)).not.toContain(
      'DestinationRule',
    );
  });
});
