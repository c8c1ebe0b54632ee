import { describe, expect, test } from 'vitest';
import { gpuLimits, gpuTolerations, withGpuAffinity } from '../../../operator/resources/gpu.ts';

const H100 = 'NVIDIA-H100-80GB-HBM3';
const onH100 = { key: 'nvidia.com/gpu.product', operator: 'In', values: [H100] };
const inZone = { key: 'zone', operator: 'In', values: ['a'] };
const onDisk = { key: 'disk', operator: 'Exists' };

/** The user's affinity to nodes, with these alternatives. */
function nodes(...nodeSelectorTerms: readonly unknown[]): Record<string, unknown> {
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

describe('a GPU', () => {
  test('is asked for as a whole', () => {
    expect(gpuLimits({ count: 2 })).toEqual({ 'nvidia.com/gpu': '2' });
  });

  test.each(['1g.10gb', '3g.40gb', '1g.10gb.me'])('is asked for as slices of the profile %s', (mig) => {
    expect(gpuLimits({ count: 1, mig })).toEqual({ [`nvidia.com/mig-${mig}`]: '1' });
  });

  test('that is not wanted asks for nothing', () => {
    expect(gpuLimits(undefined)).toEqual({});
    expect(gpuTolerations(undefined)).toEqual([]);
    expect(withGpuAffinity(undefined, undefined)).toBeUndefined();
  });

  test('tolerates the taint that keeps other pods off its nodes', () => {
    expect(gpuTolerations({ count: 1 })).toEqual([
      { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
    ]);
  });

  test('of any product leaves the affinity as it is', () => {
    expect(withGpuAffinity(undefined, { count: 1 })).toBeUndefined();
    expect(withGpuAffinity(nodes({ matchExpressions: [inZone] }), { count: 1 })).toEqual(
      nodes({ matchExpressions: [inZone] }),
    );
  });

  test('of one product needs nodes that have it', () => {
    expect(withGpuAffinity(undefined, { count: 1, product: H100 })).toEqual(
      nodes({ matchExpressions: [onH100] }),
    );
  });

  test('of one product narrows each of the alternatives that the user gives, or one would lead around it', () => {
    const affinity = nodes({ matchExpressions: [inZone] }, { matchExpressions: [onDisk] });
    expect(withGpuAffinity(affinity, { count: 1, product: H100 })).toEqual(
      nodes({ matchExpressions: [inZone, onH100] }, { matchExpressions: [onDisk, onH100] }),
    );
  });

  test('of one product leaves the rest of the affinity alone', () => {
    const podAntiAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [] };
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: {} }] };
    const affinity = withGpuAffinity(
      { podAntiAffinity, nodeAffinity: preferred },
      { count: 1, product: H100 },
    );
    expect(affinity).toMatchObject({ podAntiAffinity, nodeAffinity: preferred });
  });
});
