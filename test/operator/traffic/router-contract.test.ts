import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import { GRPC_PORT, SERVICE_PORT } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { featuresOf, type Feature } from '../../../operator/traffic/feature.ts';
import { routers } from '../../../operator/traffic/index.ts';
import type { Router } from '../../../operator/traffic/router.ts';
import { FULL_WEIGHT, references, sameRouting, type Routing } from '../../../operator/traffic/routing.ts';
import { modelDeploymentWith, publicTraffic } from '../../support/model-deployment.ts';

type RouterName = keyof typeof routers;

/** What one router cannot hold to, each with its reason. There is nothing else in which they differ. */
const cannot: Readonly<Record<RouterName, Readonly<Partial<Record<Feature, string>>>>> = {
  istio: {},
  service: {
    Split: 'a selector names one revision, and kube-proxy knows no weights',
    Mirrors: 'kube-proxy copies nothing',
    Previews: 'kube-proxy reads no requests; the candidate has a Service of its own',
  },
};

const modelDeployments: Readonly<Record<RouterName, readonly ModelDeployment[]>> = {
  istio: [modelDeploymentWith(), modelDeploymentWith({ traffic: publicTraffic })],
  service: [modelDeploymentWith(), modelDeploymentWith({ traffic: { router: 'Service' } })],
};

const REVISIONS = ['b', 'c', 'd'].map((letter) => `fraud-${letter.repeat(10)}`);
const revision = fc.constantFrom(...REVISIONS);
const shares = fc.oneof(
  fc.constantFrom([0, 0, 0], [FULL_WEIGHT, FULL_WEIGHT, FULL_WEIGHT], [0, FULL_WEIGHT, FULL_WEIGHT]),
  fc.array(fc.integer({ min: 0, max: FULL_WEIGHT }), { maxLength: 2 }),
);
const destinations = shares.map((cuts) => {
  const edges = [0, ...cuts.toSorted((left, right) => left - right), FULL_WEIGHT].slice(0, 4);
  edges[edges.length - 1] = FULL_WEIGHT;
  return edges.slice(1).map((edge, index) => ({
    revision: REVISIONS[index] ?? '',
    weight: edge - (edges[index] ?? 0),
  }));
});

/** Any routing that a strategy may want. */
const anyRouting: fc.Arbitrary<Routing> = fc
  .record(
    {
      destinations,
      mirrors: fc
        .record({ revision, weight: fc.integer({ min: 1, max: FULL_WEIGHT }) }, { noNullPrototype: true })
        .map((mirror) => [mirror]),
      previews: revision.map((name) => [
        { revision: name, match: { header: { name: 'x-preview', value: 'yes' } } },
      ]),
    },
    { requiredKeys: ['destinations'], noNullPrototype: true },
  )
  // A copy goes to somebody who is not served by the same request.
  .filter(({ mirrors = [], destinations: served }) =>
    mirrors.every((mirror) => served.every((each) => each.revision !== mirror.revision || each.weight === 0)),
  );

function isWithin({ features }: Router, routing: Routing): boolean {
  return featuresOf(routing).every((feature) => features.has(feature));
}

/** Every number that an object holds under such a name, however deep. */
function numbersNamed(name: string, value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === name ? [member] : numbersNamed(name, member),
  );
}

describe.each(Object.entries(routers) as readonly [RouterName, Router][])('the router %s', (name, router) => {
  const anyModelDeployment = fc.constantFrom(...modelDeployments[name]);
  const possible = anyRouting.filter((routing) => isWithin(router, routing));

  /** Whether it holds for every routing that this router can render. */
  function holds(property: (modelDeployment: ModelDeployment, routing: Routing) => void): void {
    fc.assert(fc.property(anyModelDeployment, possible, property));
  }

  test('can do all that the others can, or says with a reason what it cannot', () => {
    const all = Object.values(routers).flatMap(({ features }) => [...features]);
    const missing = new Set(all.filter((feature) => !router.features.has(feature)));
    expect(Object.keys(cannot[name]).sort()).toEqual([...missing].sort());
  });

  test('refuses what it cannot do, and never renders it in part', () => {
    fc.assert(
      fc.property(anyModelDeployment, anyRouting, (modelDeployment, routing) => {
        if (isWithin(router, routing)) return;
        expect(() => router.render(modelDeployment, routing)).toThrow(/nobody may ask/);
      }),
    );
  });

  test('reads back what it has rendered', () => {
    holds((modelDeployment, routing) => {
      const { objects, hash } = router.render(modelDeployment, routing);
      expect(sameRouting(router.readRouting(objects, modelDeployment), routing)).toBe(true);
      expect(router.liveHash(objects, modelDeployment)).toBe(hash);
    });
  });

  test('asks for nothing where nothing is', () => {
    for (const modelDeployment of modelDeployments[name]) {
      expect(router.readRouting([], modelDeployment)).toBeUndefined();
      expect(router.liveHash([], modelDeployment)).toBeUndefined();
      expect(router.obsolete([], modelDeployment)).toEqual([]);
    }
  });

  test('gives another hash to another routing, and to no other', () => {
    fc.assert(
      fc.property(anyModelDeployment, possible, possible, (modelDeployment, left, right) => {
        const isSame = sameRouting(left, right);
        const [one, other] = [left, right].map((routing) => router.render(modelDeployment, routing).hash);
        expect(one === other).toBe(isSame);
      }),
    );
  });

  test('gives a hand edit a hash that no proof will ever bear', () => {
    holds((modelDeployment, routing) => {
      const { objects, hash } = router.render(modelDeployment, routing);
      const [receiver = ''] = routing.destinations
        .filter(({ weight }) => weight > 0)
        .map((destination) => destination.revision);
      const edited = JSON.parse(
        JSON.stringify(objects).replaceAll(receiver, 'fraud-ffffffffff'),
      ) as KubernetesObject[];
      expect(router.liveHash(edited, modelDeployment)).not.toBe(hash);
    });
  });

  test('reads objects of which only some were written so that nobody they name is forgotten', () => {
    fc.assert(
      fc.property(anyModelDeployment, possible, possible, (modelDeployment, before, after) => {
        const [older, newer] = [before, after].map(
          (routing) => router.render(modelDeployment, routing).objects,
        );
        const mixed = [...(newer ?? []).slice(0, 1), ...(older ?? []).slice(1)];
        const read = router.readRouting(mixed, modelDeployment);
        const named = REVISIONS.filter((each) => JSON.stringify(mixed).includes(each));
        expect(named.filter((each) => !references(read, each))).toEqual([]);
      }),
    );
  });

  test('gives away everything, in whole shares, and to ports that it names', () => {
    holds((modelDeployment, routing) => {
      const { objects } = router.render(modelDeployment, routing);
      const read = router.readRouting(objects, modelDeployment);
      const weights = read?.destinations.map(({ weight }) => weight) ?? [];
      expect(weights.every((weight) => Number.isInteger(weight) && weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(FULL_WEIGHT);
      const ports = objects.flatMap((object) =>
        numbersNamed('number', object).concat(numbersNamed('port', object)),
      );
      const known: readonly unknown[] = [SERVICE_PORT, GRPC_PORT];
      expect(ports.flat().every((port) => known.includes(port) || typeof port === 'object')).toBe(true);
      expect(ports.length).toBeGreaterThan(0);
    });
  });

  test('needs nothing but what its ModelDeployment owns, in its namespace', () => {
    holds((modelDeployment, routing) => {
      const made = [
        ...router.render(modelDeployment, routing).objects,
        ...router.policiesFor(modelDeployment, REVISIONS[0] ?? ''),
      ];
      for (const { metadata } of made) {
        expect(metadata.namespace).toBe('ml');
        expect(metadata.ownerReferences).toMatchObject([
          { uid: modelDeployment.metadata.uid, blockOwnerDeletion: false },
        ]);
      }
    });
  });

  test('calls nothing obsolete that it has just rendered', () => {
    holds((modelDeployment, routing) => {
      const { objects } = router.render(modelDeployment, routing);
      expect(router.obsolete(objects, modelDeployment)).toEqual([]);
    });
  });
});
