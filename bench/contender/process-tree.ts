import { readdirSync, readFileSync } from 'node:fs';

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

function parentOf(pid: number): number {
  // The name stands in brackets and may have spaces; state and parent follow.
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** A process and all that it started, directly or not. */
export function processTree(root: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

/** What they hold in memory together, pages that they share counted once. */
export function memoryMib(pids: readonly number[]): number {
  const kibibytes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+)/mu.exec(readProc(pid, 'smaps_rollup'))?.[1] ?? 0),
  );
  return kibibytes.reduce((sum, value) => sum + value, 0) / 1024;
}

/** Linux counts processor time in these, whatever its clock does (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has taken so far, in all of its threads. */
export function cpuMs(pid: number): number {
  const stat = readProc(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks = '0', systemTicks = '0'] = fields.slice(11, 13);
  return ((Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND) * 1000;
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}
