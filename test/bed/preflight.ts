import { existsSync, readdirSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { addresses, names, type Layout } from './layout.ts';
import { run, succeeds } from './shell.ts';

/** Programs of the distribution that scripts/install-packages.sh installs. */
const neededPrograms = [
  ...[
    'containerd',
    'ctr',
    'runc',
    'buildah',
    'conntrack',
    'iptables',
    'ip',
    'openssl',
    'setpriv',
    'unshare',
    'nsenter',
  ],
];

/** One sentence for each thing that the bed needs and somebody else has; empty when the bed may start. */
export async function findObstacles(layout: Layout): Promise<string[]> {
  if (process.getuid?.() !== 0)
    return ['the bed makes namespaces and runs containers, so it must be started as root'];
  const missing = await missingPrograms();
  if (missing.length > 0)
    return [`missing on this machine: ${missing.join(', ')}; run scripts/install-packages.sh`];
  const found = [foreignFolder(layout), await takenLink(), ...(await takenRanges())];
  return found.filter((sentence) => sentence !== undefined);
}

async function missingPrograms(): Promise<string[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const isThere = async (program: string): Promise<boolean> => {
    const answers = await Promise.all(
      folders.map((folder) =>
        access(join(folder, program), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    return answers.includes(true);
  };
  const answers = await Promise.all(
    neededPrograms.map(async (program) => ((await isThere(program)) ? [] : [program])),
  );
  const plugins = existsSync('/usr/lib/cni/bridge') ? [] : ['containernetworking-plugins'];
  return [...answers.flat(), ...plugins];
}

function foreignFolder(layout: Layout): string | undefined {
  if (!existsSync(layout.folder) || readdirSync(layout.folder).length === 0) return undefined;
  // What a bed that failed left for reading.
  if (existsSync(layout.marker)) return undefined;
  return `the folder ${layout.folder} is not empty and holds no bed; set HEADGATE_BED to another one`;
}

async function takenLink(): Promise<string | undefined> {
  const taken = await succeeds('ip', ['link', 'show', 'dev', names.link]);
  return taken ? `the network link ${names.link} exists already and is not ours` : undefined;
}

/** Every route of the machine that overlaps a range of the bed, but for a default route. */
async function takenRanges(): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])) as {
    dst: string;
    dev?: string;
  }[];
  const ours = [addresses.nodeRange, addresses.podRange, addresses.serviceRange];
  return ours.flatMap((range) => {
    const holder = routes.find((route) => route.dst !== 'default' && overlaps(route.dst, range));
    return holder === undefined
      ? []
      : [`the addresses ${range} are taken by the route ${holder.dst} (${holder.dev ?? '?'})`];
  });
}

/** True when two IPv4 ranges share an address; a single address is a range of one. */
export function overlaps(one: string, other: string): boolean {
  const [first, second] = [parseRange(one), parseRange(other)];
  if (first === undefined || second === undefined) return false;
  const shift = 32 - Math.min(first.bits, second.bits);
  return shift === 32 || first.base >>> shift === second.base >>> shift;
}

function parseRange(text: string): { base: number; bits: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const base = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { base, bits: Number(match[5] ?? 32) };
}
