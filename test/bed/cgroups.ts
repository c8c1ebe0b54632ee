import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { names } from './layout.ts';
import { waitFor } from './wait.ts';

const root = '/sys/fs/cgroup';

/** The kubelet keeps all pods below one group of ours, so that nothing of them is left where others look. */
export async function createCgroups(): Promise<void> {
  for (const folder of hierarchies()) {
    await mkdir(join(folder, names.cgroup), { recursive: true });
    await inheritCpuset(folder);
    await favourPods(folder);
  }
}

/**
 * All pods together would otherwise get as much of a busy processor as one program beside them: a group counts like a
 * single task. Eight times that, in the unit of version 1 or of version 2.
 */
async function favourPods(folder: string): Promise<void> {
  for (const [file, value] of [
    ['cpu.shares', '8192'],
    ['cpu.weight', '800'],
  ] as const) {
    const setting = join(folder, names.cgroup, file);
    if (existsSync(setting)) await writeFile(setting, value);
  }
}

export async function removeCgroups(): Promise<void> {
  for (const folder of hierarchies()) {
    const ours = join(folder, names.cgroup);
    if (!existsSync(ours)) continue;
    await waitFor(`the control groups below ${ours} are removed`, () => removeTree(ours), { everyMs: 50 });
  }
}

/** One folder with version 2; one for each controller with version 1, and with a mixture one more. */
function hierarchies(): string[] {
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, folder, type]) => type?.startsWith('cgroup') === true && folder?.startsWith(root) === true);
  return mounted.map(([, folder]) => folder ?? root);
}

/** A new version 1 cpuset has no processors, so nothing could run in it. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(folder, 'cpuset.cpu_exclusive')) || !existsSync(join(folder, file))) continue;
    await writeFile(join(folder, names.cgroup, file), readFileSync(join(folder, file), 'utf8'));
  }
}

async function removeTree(folder: string): Promise<boolean> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  await rmdir(folder);
  return true;
}
