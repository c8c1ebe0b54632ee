import { describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import { headers } from '../../../operator/api/names.ts';
import { routers } from '../../../operator/traffic/index.ts';
import type { VirtualService } from '../../../operator/traffic/istio-virtual-service.ts';
import {
  FULL_WEIGHT,
  routeAllTo,
  sameRouting,
  splitBetween,
  type Preview,
  type Routing,
} from '../../../operator/traffic/routing.ts';
import { modelDeploymentWith, publicTraffic } from '../../support/model-deployment.ts';

const { istio } = routers;
const STABLE = 'fraud-bbbbbbbbbb';
const CANDIDATE = 'fraud-cccccccccc';
const inMeshOnly = modelDeploymentWith();
const published = modelDeploymentWith({ traffic: publicTraffic });

/** That of the mesh first. */
function rendered(
  modelDeployment: ModelDeployment,
  routing: Routing,
): readonly [VirtualService, ...VirtualService[]] {
  return istio.render(modelDeployment, routing).objects as readonly VirtualService[] as readonly [
    VirtualService,
    ...VirtualService[],
  ];
}

function fromGateways(routing: Routing): VirtualService {
  const [, found] = rendered(published, routing);
  if (found === undefined) throw new Error('no VirtualService for gateways');
  return found;
}

describe('a preview', () => {
  const byHeader: Preview = { revision: CANDIDATE, match: { header: { name: 'x-try', value: 'next' } } };
  const byHost: Preview = { revision: CANDIDATE, match: { host: 'next.example.com' } };
  const previewing = (...previews: Preview[]): Routing => ({
    ...splitBetween(STABLE, CANDIDATE, 0),
    previews,
  });

  test("stands above the users' route, which would take its requests otherwise", () => {
    for (const { spec } of rendered(published, previewing(byHeader))) {
      expect(spec.http.map(({ name }) => name)).toEqual([
        ...['headgate-routing', 'preview-grpc-stream', 'preview-grpc', 'preview'],
        ...['model-grpc-stream', 'model-grpc', 'model'],
      ]);
    }
  });

  test('by header is asked for with it on the paths of the model, at the gateways and in the mesh', () => {
    const condition = { headers: { 'x-try': { exact: 'next' } } };
    const [, , overGrpc, overHttp] = fromGateways(previewing(byHeader)).spec.http;
    expect(overGrpc?.match[0]).toEqual({
      uri: { prefix: '/fraud/' },
      headers: { 'x-try': { exact: 'next' }, 'content-type': { prefix: 'application/grpc' } },
    });
    expect(overHttp).toMatchObject({
      match: [
        { uri: { prefix: '/fraud/' }, ...condition },
        { uri: { exact: '/fraud' }, ...condition },
      ],
      rewrite: { uri: '/' },
    });
    expect(rendered(published, previewing(byHeader))[0].spec.http[3]?.match).toEqual([
      { uri: { prefix: '/' }, ...condition },
    ]);
  });

  test('by host is a host of the gateways alone, with any port', () => {
    const { spec } = fromGateways(previewing(byHost));
    expect(spec.hosts).toEqual(['fraud.example.com', 'next.example.com']);
    const regex = spec.http[1]?.match[0]?.authority?.regex ?? '';
    const asked = new RegExp(`^${regex.replace('(?i)', '')}$`, 'iu');
    expect(['next.example.com', 'NEXT.example.com:8080'].every((host) => asked.test(host))).toBe(true);
    expect(
      ['nextxexample.com', 'a.next.example.com', 'fraud.example.com'].some((host) => asked.test(host)),
    ).toBe(false);
    expect(rendered(published, previewing(byHost))[0].spec.http.map(({ name }) => name)).toEqual([
      'headgate-routing',
      'model-grpc-stream',
      'model-grpc',
      'model',
    ]);
  });

  test('sends everything to its revision and says so, since its requests are no users’', () => {
    for (const { spec } of rendered(published, previewing(byHeader))) {
      expect(spec.http[1]?.route).toEqual([
        expect.objectContaining({
          weight: FULL_WEIGHT,
          headers: { request: { set: { [headers.destination]: `${CANDIDATE};preview` } } },
        }),
      ]);
    }
  });

  test('has the timeout, the retries and the hash of every other route', () => {
    const [, , , preview, , , users] = fromGateways(previewing(byHeader)).spec.http;
    const common = ({ timeout, retries, headers: operations }: NonNullable<typeof users>): unknown => ({
      ...{ timeout, retries, operations },
    });
    expect(preview && common(preview)).toEqual(users && common(users));
  });

  test.each([
    ['header', byHeader],
    ['host', byHost],
  ])('by %s is read back', (_, preview) => {
    const routing = previewing(preview);
    expect(sameRouting(istio.readRouting(rendered(published, routing), published), routing)).toBe(true);
  });

  test('that only one of two objects has is referenced (I3)', () => {
    const live = [rendered(published, routeAllTo(STABLE))[0], fromGateways(previewing(byHeader))];
    const { previews } = istio.readRouting(live, published) ?? {};
    expect(previews).toEqual([byHeader]);
  });
});

describe('a mirror', () => {
  const mirroring: Routing = {
    ...splitBetween(STABLE, CANDIDATE, 0),
    mirrors: [{ revision: CANDIDATE, weight: 1250 }],
  };

  test("copies a share of the users' requests and sends nobody there", () => {
    for (const { spec } of rendered(published, mirroring)) {
      const users = spec.http.find(({ name }) => name === 'model');
      expect(users?.mirrors).toEqual([
        {
          destination: { host: `${CANDIDATE}.ml.svc.cluster.local`, port: { number: 80 } },
          percentage: { value: 12.5 },
        },
      ]);
      expect(users?.route?.map(({ weight }) => weight)).toEqual([FULL_WEIGHT, 0]);
    }
  });

  test('that only one of two objects has is referenced (I3)', () => {
    const live = [rendered(published, routeAllTo(STABLE))[0], fromGateways(mirroring)];
    expect(istio.readRouting(live, published)).toMatchObject({
      destinations: [{ revision: STABLE }, { revision: CANDIDATE, weight: 0 }],
      mirrors: [],
    });
  });

  test('that a hand has written without a percentage copies everything', () => {
    const [mesh] = rendered(inMeshOnly, mirroring);
    const http = mesh.spec.http.map((route) =>
      route.mirrors === undefined
        ? route
        : { ...route, mirrors: [{ destination: { host: `${CANDIDATE}.ml` } }] },
    );
    const live = [{ ...mesh, spec: { ...mesh.spec, http } }];
    expect(istio.readRouting(live, inMeshOnly)?.mirrors).toEqual([
      { revision: CANDIDATE, weight: FULL_WEIGHT },
    ]);
  });
});
