import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';
import { HopelessError, waitFor } from './wait.ts';

/**
 * The bed lives in mount, network and process namespaces of its own, held by one first process: whatever a part of it
 * mounts, adds to iptables or leaves behind ends with that process, even when it is killed.
 */
const firstProcess = `
mount --make-rshared / || exit 1
for folder in /run /var/log /var/lib/cni; do mount -t tmpfs bed "$folder" || exit 1; done
mkdir -p /run/lock /run/netns
ip link set lo up
touch "$0"
while :; do sleep 100000 & wait; done
`;

export interface Namespace {
  /** The first process inside, as the machine numbers it. */
  readonly firstPid: number;
}

export async function createNamespace(
  readyFile: string,
  logFile: string,
): Promise<Namespace & { keeperPid: number }> {
  const keeper = spawn(
    'sh',
    [
      '-c',
      'exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private sh -c "$2" "$0" >>"$1" 2>&1',
      readyFile,
      logFile,
      firstProcess,
    ],
    { stdio: 'ignore', detached: true, cwd: '/' },
  );
  keeper.unref();
  const keeperPid = keeper.pid;
  if (keeperPid === undefined)
    throw new Error('the namespaces of the bed could not be made: unshare did not start');
  await waitFor(
    'the namespaces of the bed are made',
    () => {
      if (keeper.exitCode !== null)
        throw new HopelessError(`unshare failed: ${readFileSync(logFile, 'utf8').trim()}`);
      return existsSync(readyFile);
    },
    { everyMs: 10 },
  );
  const children = readFileSync(`/proc/${keeperPid}/task/${keeperPid}/children`, 'utf8').trim().split(' ');
  return { firstPid: Number(children[0]), keeperPid };
}

/** The words in front of a command that make it run inside. */
export function enterWords(namespace: Namespace): string[] {
  return ['nsenter', '-t', String(namespace.firstPid), '-m', '-n', '-p', '--'];
}

export function runInside(namespace: Namespace, command: readonly string[], input?: string): Promise<string> {
  const [program = '', ...args] = [...enterWords(namespace), ...command];
  return run(program, args, input === undefined ? {} : { input });
}

export interface InsideProgram {
  readonly name: string;
  readonly command: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program inside that stays when we end; returns its process id as numbered inside. */
export async function launchInside(namespace: Namespace, program: InsideProgram): Promise<number> {
  const assignments = Object.entries(program.env ?? {}).map(([key, value]) => `${key}=${value}`);
  const printed = await runInside(namespace, [
    ...[
      'sh',
      '-c',
      'cd / && log=$0 && { setsid "$@" >>"$log" 2>&1 </dev/null & } && echo $!',
      program.logFile,
    ],
    ...['env', ...assignments, ...program.command],
  ]);
  return Number(printed.trim());
}

export function assertRunningInside(namespace: Namespace, name: string, pid: number, logFile: string): void {
  const stat = join(`/proc/${namespace.firstPid}/root/proc`, String(pid), 'stat');
  if (existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'))) return;
  const tail = existsSync(logFile)
    ? readFileSync(logFile, 'utf8').trim().split('\n').slice(-12).join('\n')
    : '';
  throw new HopelessError(`${name} has ended by itself; the end of ${logFile}:\n${tail}`);
}

/** The machine's number of a process inside, so that any tool of the machine can signal it. */
export function machinePid(namespace: Namespace, insidePid: number): number {
  const inside = numbersOf(`/proc/${namespace.firstPid}/root/proc`, String(insidePid));
  if (inside === undefined) throw new Error(`process ${insidePid} of the bed is gone`);
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const outside = numbersOf('/proc', entry);
    // The machine counts one number more, its own; a container counts one more on both sides.
    const isSame = outside?.namespace === inside.namespace && outside.numbers.endsWith(`\t${inside.numbers}`);
    if (isSame) return Number(entry);
  }
  throw new Error(`process ${insidePid} of the bed is not to be found on the machine`);
}

/** Every number that a process has, one for each nested namespace from the reader's on; undefined when it is gone. */
function numbersOf(proc: string, pid: string): { namespace: string; numbers: string } | undefined {
  try {
    const numbers = /^NSpid:\s+(.*)$/m.exec(readFileSync(join(proc, pid, 'status'), 'utf8'))?.[1];
    return numbers === undefined
      ? undefined
      : { namespace: readlinkSync(join(proc, pid, 'ns/pid')), numbers };
  } catch {
    return undefined;
  }
}
