import { readFileSync } from 'node:fs';

/** Where each cgroup version keeps the CPU time that this container may use, as it sees its own group. */
const CGROUP_2_FILE = '/sys/fs/cgroup/cpu.max';
const CGROUP_1_QUOTA_FILES = [
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us',
] as const;

export type ReadText = (path: string) => string | undefined;

export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function toCpus(quota: string, period: string): number | undefined {
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : undefined;
}

function readCpuLimit(readText: ReadText): number | undefined {
  const unified = readText(CGROUP_2_FILE);
  if (unified !== undefined) {
    const [quota = 'max', period = '100000'] = unified.split(/\s+/u);
    return toCpus(quota, period);
  }
  for (const quotaFile of CGROUP_1_QUOTA_FILES) {
    const quota = readText(quotaFile);
    if (quota !== undefined) return toCpus(quota, readText(quotaFile.replace('quota', 'period')) ?? '100000');
  }
  return undefined;
}

/**
 * The whole CPUs of the container's limit. More threads would be throttled, and without a limit the host's cores say
 * nothing of what this pod may use, so one is the honest answer.
 */
export function countWholeCpus(readText: ReadText): number {
  return Math.max(1, Math.floor(readCpuLimit(readText) ?? 1));
}
