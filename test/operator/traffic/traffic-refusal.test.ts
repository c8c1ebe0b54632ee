import { describe, expect, it } from 'vitest';
import { hostClaimOf, type HostClaim } from '../../../operator/traffic/host-claims.ts';
import { refusalsOf, withoutRefused } from '../../../operator/traffic/traffic-refusal.ts';
import { newModelDeployment } from '../../support/scene.ts';

const [a, b] = ['a.example.com', 'b.example.com'];
const [publicly, internally] = ['istio-system/public', 'istio-system/internal'];
const everything = [{ namespaces: ['*'], gateways: ['*'], hosts: ['*'] }];

function claimed(change: Partial<HostClaim> = {}): HostClaim {
  return {
    ...{ namespace: 'ml', name: 'fraud', createdAt: '2026-01-02T00:00:00Z', pathPrefix: '/' },
    ...{ hosts: [a, b], gateways: [publicly, internally], held: [] },
    ...change,
  };
}

function refused(...entries: Parameters<typeof refusalsOf>): readonly string[] {
  return refusalsOf(...entries).map(({ kind, name, reason }) => `${kind} ${name} ${reason}`);
}

describe('of what is wanted of gateways', () => {
  it('nothing is refused where all is allowed and nobody else wants it', () => {
    expect(refusalsOf(claimed(), everything, [])).toEqual([]);
  });

  it('all gateways go where nothing is allowed', () => {
    expect(refused(claimed(), [], [])).toEqual([
      `Gateway ${publicly} HostNotAllowed`,
      `Gateway ${internally} HostNotAllowed`,
    ]);
  });

  it('a gateway without any allowed host goes, and leaves the others as they are', () => {
    const policy = [{ namespaces: ['ml'], gateways: [publicly], hosts: ['*'] }];
    expect(refused(claimed(), policy, [])).toEqual([`Gateway ${internally} HostNotAllowed`]);
  });

  it('a host goes that one of the gateways may not carry', () => {
    const policy = [
      { namespaces: ['ml'], gateways: ['*'], hosts: [a] },
      { namespaces: ['ml'], gateways: [publicly], hosts: [b] },
    ];
    expect(refused(claimed(), policy, [])).toEqual([`Host ${b} HostNotAllowed`]);
    const [refusal] = refusalsOf(claimed(), policy, []);
    expect(refusal?.message).toMatch(
      /through gateway istio-system\/internal; ask for it in the value trafficPolicy/,
    );
  });

  it('a host goes that somebody else had before, and the message names him and the way out', () => {
    const other = claimed({ namespace: 'risk', createdAt: '2026-01-01T00:00:00Z', hosts: [a] });
    expect(refused(claimed(), everything, [other])).toEqual([`Host ${a} HostConflict`]);
    const [refusal] = refusalsOf(claimed(), everything, [other]);
    expect(refusal?.message).toMatch(
      /ModelDeployment risk\/fraud serves .* choose another host or pathPrefix/,
    );
  });

  it('nobody keeps a host from others that is not allowed to himself', () => {
    const squatter = claimed({ namespace: 'risk', createdAt: '2026-01-01T00:00:00Z' });
    const policy = [{ namespaces: ['ml'], gateways: ['*'], hosts: ['*'] }];
    expect(refusalsOf(claimed(), policy, [squatter])).toEqual([]);
  });
});

describe('what is left of a ModelDeployment', () => {
  const modelDeployment = newModelDeployment();
  const refusal = { reason: 'HostConflict', message: '' } as const;

  it('is the same object when nothing is refused', () => {
    expect(withoutRefused(modelDeployment, [])).toBe(modelDeployment);
  });

  it('has neither hosts nor gateways when one of them is empty', () => {
    for (const kind of ['Host', 'Gateway'] as const) {
      const name = kind === 'Host' ? 'fraud.example.com' : publicly;
      const { spec } = withoutRefused(modelDeployment, [{ ...refusal, kind, name }]);
      expect(spec.traffic).not.toHaveProperty('hosts');
      expect(spec.traffic).not.toHaveProperty('gateways');
      expect(spec.traffic.pathPrefix).toBe('/fraud');
    }
  });

  it('shows a preview under no host that is refused, while a header goes on to ask for it', () => {
    const host = 'preview.example.com';
    const header = { name: 'x-preview', value: 'next' };
    const { spec } = modelDeployment;
    const blueGreen = { ...{ preview: { host, header } }, keepOldFor: '1m' };
    const previewed = { ...modelDeployment, spec: { ...spec, rollout: { ...spec.rollout, blueGreen } } };
    expect(hostClaimOf(previewed)?.hosts).toEqual(['fraud.example.com', host]);
    const left = withoutRefused(previewed, [{ ...refusal, kind: 'Host', name: host }]);
    expect(left.spec.rollout.blueGreen).toEqual({ preview: { header }, keepOldFor: '1m' });
    expect(left.spec.traffic).toEqual(spec.traffic);
    const closed = withoutRefused(previewed, [{ ...refusal, kind: 'Gateway', name: publicly }]);
    expect(closed.spec.rollout.blueGreen).toEqual({ preview: { header }, keepOldFor: '1m' });
  });

  it('claims nothing without gateways', () => {
    expect(
      hostClaimOf(withoutRefused(modelDeployment, [{ ...refusal, kind: 'Gateway', name: publicly }])),
    ).toBeUndefined();
  });
});
