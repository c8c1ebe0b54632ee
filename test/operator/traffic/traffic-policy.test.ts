import { describe, expect, it } from 'vitest';
import { isAllowed } from '../../../operator/traffic/traffic-policy.ts';

const use = { namespace: 'ml', gateway: 'istio-system/public', host: 'fraud.example.com' };
const entry = { namespaces: ['ml'], gateways: ['istio-system/public'], hosts: ['*.example.com'] };

describe('the word of the platform', () => {
  it('allows nothing where it says nothing', () => {
    expect(isAllowed([], use)).toBe(false);
  });

  it('needs namespace, gateway and host in one entry', () => {
    expect(isAllowed([entry], use)).toBe(true);
    for (const other of [
      { namespace: 'risk' },
      { gateway: 'istio-system/internal' },
      { host: 'example.org' },
    ]) {
      expect(isAllowed([entry], { ...use, ...other })).toBe(false);
    }
    const split = [
      { ...entry, namespaces: ['risk'] },
      { ...entry, hosts: ['*.example.org'] },
    ];
    expect(isAllowed(split, use)).toBe(false);
  });

  it.each<[string, string, boolean]>([
    ['*', 'fraud.example.com', true],
    ['fraud.example.com', 'fraud.example.com', true],
    ['fraud.example.com', 'a.fraud.example.com', false],
    ['fraud.example.com', '*.example.com', false],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', '*.example.com', true],
    ['*.example.com', '*.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'evilexample.com', false],
    ['team-*.example.com', 'team-a.example.com', true],
    ['team-*.example.com', 'a.example.com', false],
    ['*-ml-*.example.com', 'eu-ml-1.example.com', true],
    ['*-ml-*.example.com', 'ml-.example.com', false],
    ['a*a', 'a', false],
    ['f.aud.example.com', 'fraud.example.com', false],
  ])('%s stands for %s: %s', (pattern, host, allowed) => {
    expect(isAllowed([{ ...entry, hosts: [pattern] }], { ...use, host })).toBe(allowed);
  });
});
