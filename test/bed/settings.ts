import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

/** What the kubelet sets for the whole kernel; settings of the network belong to the bed's own namespace. */
const kernelSettings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'net/netfilter/nf_conntrack_max',
];

export function readSettings(): Record<string, string> {
  const present = kernelSettings.filter((name) => existsSync(`/proc/sys/${name}`));
  return Object.fromEntries(present.map((name) => [name, readSetting(name)]));
}

export async function restoreSettings(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    if (existsSync(`/proc/sys/${name}`) && readSetting(name) !== value)
      await writeFile(`/proc/sys/${name}`, value);
  }
}

function readSetting(name: string): string {
  return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
}
