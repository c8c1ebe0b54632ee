import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bedLayout, names } from './layout.ts';
import { readSettings } from './settings.ts';
import { run } from './shell.ts';

/** What a bed could leave behind on the machine, thing by thing in lines. */
export type MachineState = Readonly<Record<string, readonly string[]>>;

export async function readMachineState(): Promise<MachineState> {
  const { folder } = bedLayout();
  const words = [folder, names.link, names.podBridge, names.cgroup];
  const isOurs = (line: string): boolean => words.some((word) => line.includes(word));
  return {
    processes: processes().filter(isOurs),
    mounts: lines(readFileSync('/proc/mounts', 'utf8')).filter(isOurs),
    links: await output('ip', ['-o', 'link']).then((found) =>
      found.map((line) => line.split(': ')[1] ?? line),
    ),
    routes: await output('ip', ['route', 'show', 'table', 'all']),
    'network namespaces': await output('ip', ['netns', 'list']),
    'packet filter rules': (await output('iptables-save', [])).filter((line) => /^-A/.test(line)),
    'kernel settings': Object.entries(readSettings()).map(([name, value]) => `${name} = ${value}`),
    'control groups': controlGroups(),
    files: [folder, '/run/flannel', '/var/lib/cni/networks'].filter((path) => existsSync(path)),
  };
}

/** Sentences about everything that is there after and was not before, or the other way round. */
export function differences(before: MachineState, after: MachineState): string[] {
  return Object.keys(before).flatMap((thing) => {
    const [old = [], now = []] = [before[thing], after[thing]];
    const added = now.filter((line) => !old.includes(line)).map((line) => `${thing}: left behind: ${line}`);
    const gone = old.filter((line) => !now.includes(line)).map((line) => `${thing}: no more: ${line}`);
    return [...added, ...gone];
  });
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return `${pid} ${readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ')}`;
      } catch {
        return '';
      }
    });
}

function controlGroups(): string[] {
  const root = '/sys/fs/cgroup';
  const folders = existsSync(root) ? [root, ...readdirSync(root).map((entry) => join(root, entry))] : [];
  return folders.map((folder) => join(folder, names.cgroup)).filter((folder) => existsSync(folder));
}

async function output(program: string, args: readonly string[]): Promise<string[]> {
  return lines(await run(program, args));
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
