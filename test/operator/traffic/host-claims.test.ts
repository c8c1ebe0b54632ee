import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areContested,
  filedUnder,
  holderOf,
  looksUnder,
  type HostClaim,
} from '../../../operator/traffic/host-claims.ts';

function claimed(change: Partial<HostClaim> = {}): HostClaim {
  return {
    ...{ namespace: 'ml', name: 'fraud', createdAt: '2026-01-02T00:00:00Z', pathPrefix: '/' },
    ...{ hosts: ['a.example.com'], gateways: ['istio-system/public'], held: [] },
    ...change,
  };
}

const older = '2026-01-01T00:00:00Z';
const hosts = fc.constantFrom(
  'a.example.com',
  'b.example.com',
  'x.a.example.com',
  '*.example.com',
  '*.a.example.com',
);
const claims: fc.Arbitrary<readonly HostClaim[]> = fc.uniqueArray(
  fc
    .record({
      namespace: fc.constantFrom('ml', 'risk'),
      name: fc.constantFrom('one', 'two', 'three'),
      createdAt: fc.constantFrom(older, '2026-01-02T00:00:00Z'),
      hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 3 }),
      gateways: fc.uniqueArray(fc.constantFrom('g/one', 'g/two'), { minLength: 1 }),
      pathPrefix: fc.constantFrom('/', '/fraud', '/fraudulent', '/fraud/eu', '/risk'),
    })
    .chain((claim) => fc.subarray(claim.hosts).map((held) => ({ ...claim, held }))),
  { selector: ({ namespace, name }) => `${namespace}/${name}`, minLength: 2 },
);

function othersOf(all: readonly HostClaim[], claim: HostClaim): readonly HostClaim[] {
  return all.filter((other) => other !== claim);
}

describe('two claims', () => {
  it.each<[string, Partial<HostClaim>, Partial<HostClaim>, boolean]>([
    ['of one host at one prefix', { pathPrefix: '/fraud' }, { pathPrefix: '/fraud' }, true],
    ['of a prefix and one inside it', { pathPrefix: '/fraud' }, { pathPrefix: '/fraud/eu' }, true],
    ['of the root and any prefix', { pathPrefix: '/' }, { pathPrefix: '/fraud' }, true],
    ['of prefixes that only begin alike', { pathPrefix: '/fraud' }, { pathPrefix: '/fraudulent' }, false],
    ['of different hosts', {}, { hosts: ['b.example.com'] }, false],
    ['on different gateways', {}, { gateways: ['istio-system/internal'] }, false],
    [
      'of a host and a wildcard over it, whatever the prefixes',
      { pathPrefix: '/a' },
      { hosts: ['*.example.com'], pathPrefix: '/b' },
      true,
    ],
    ['of a wildcard and a wider one', { hosts: ['*.a.example.com'] }, { hosts: ['*.example.com'] }, true],
    ['of a wildcard and its own domain', { hosts: ['example.com'] }, { hosts: ['*.example.com'] }, false],
  ])('%s', (_, one, other, contested) => {
    const [left, right] = [claimed(one), claimed({ name: 'other', createdAt: older, ...other })];
    expect(holderOf(left, left.hosts[0] ?? '', [right])).toEqual(contested ? right : undefined);
    expect(holderOf(right, right.hosts[0] ?? '', [left])).toBeUndefined();
  });

  it('go to the older one, then by namespace and name', () => {
    const [young, old] = [claimed(), claimed({ namespace: 'risk', createdAt: older })];
    expect(holderOf(young, 'a.example.com', [old])).toBe(old);
    const [first, second] = [claimed({ name: 'a' }), claimed({ name: 'b' })];
    expect(holderOf(second, 'a.example.com', [first])).toBe(first);
    expect(holderOf(first, 'a.example.com', [second])).toBeUndefined();
  });

  it('stay with the one that serves, however much older the other one is', () => {
    const [serving, old] = [claimed({ held: ['a.example.com'] }), claimed({ name: 'old', createdAt: older })];
    expect(holderOf(serving, 'a.example.com', [old])).toBeUndefined();
    expect(holderOf(old, 'a.example.com', [serving])).toBe(serving);
  });
});

describe('whatever is claimed', () => {
  it('no host that two want is served by both', () => {
    fc.assert(
      fc.property(claims, (all) => {
        const served = all.flatMap((claim) =>
          claim.hosts
            .filter((host) => holderOf(claim, host, othersOf(all, claim)) === undefined)
            .map((host) => ({ claim, host })),
        );
        for (const one of served) {
          for (const other of served) {
            if (one.claim !== other.claim) expect(areContested(one, other)).toBe(false);
          }
        }
      }),
    );
  });

  it('somebody serves, and who does not depends on no order', () => {
    fc.assert(
      fc.property(claims, (all) => {
        const holders = all.map((claim) =>
          claim.hosts.map((host) => holderOf(claim, host, othersOf(all, claim))),
        );
        expect(holders.flat()).toContain(undefined);
        const turned = [...all].reverse();
        expect(
          all.map((claim) => claim.hosts.map((host) => holderOf(claim, host, othersOf(turned, claim)))),
        ).toEqual(holders);
      }),
    );
  });

  it('each finds every other one that it could meet', () => {
    fc.assert(
      fc.property(claims, (all) => {
        for (const one of all) {
          for (const other of othersOf(all, one)) {
            const meet = one.hosts.some((host) =>
              other.hosts.some((theirs) =>
                areContested({ claim: one, host }, { claim: other, host: theirs }),
              ),
            );
            const filed = new Set(filedUnder(other));
            if (meet) expect(looksUnder(one).some((key) => filed.has(key))).toBe(true);
          }
        }
      }),
    );
  });
});
