import { describe, expect, it } from 'vitest';
import { countWholeCpus } from '../../../runtime/executor/cpu-limit.ts';

const unified = '/sys/fs/cgroup/cpu.max';
const quota = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us';
const period = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';

describe('the whole CPUs of a container', () => {
  it.each<[string, Record<string, string>, number]>([
    ['two CPUs', { [unified]: '200000 100000' }, 2],
    ['two and a half CPUs', { [unified]: '250000 100000' }, 2],
    ['a tenth of a CPU', { [unified]: '10000 100000' }, 1],
    ['no limit', { [unified]: 'max 100000' }, 1],
    ['no limit, without a period', { [unified]: 'max' }, 1],
    ['four CPUs in cgroup 1', { [quota]: '400000', [period]: '100000' }, 4],
    ['no limit in cgroup 1', { [quota]: '-1', [period]: '100000' }, 1],
    ['no cgroup at all', {}, 1],
  ])('follow the limit of the container: %s', (_limit, files, cpus) => {
    expect(countWholeCpus((path) => files[path])).toBe(cpus);
  });
});
