import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ModelDeploymentStatus } from '../../../operator/api/status.ts';
import { API_GROUP, PLURAL } from '../../../operator/api/names.ts';
import type { Bed } from '../../bed/bed.ts';
import { part } from '../../bed/programs.ts';
import { waitFor } from '../../bed/wait.ts';
import type { ObjectName } from './status.ts';

export interface SeenStatus {
  readonly seenAtMs: number;
  readonly status: ModelDeploymentStatus;
}

/** Every status that a ModelDeployment has had since the watch began, in order. */
export class StatusWatch {
  readonly seen: SeenStatus[] = [];
  private readonly child: ChildProcess;

  constructor(bed: Bed, { namespace, name }: ObjectName) {
    const question = ['get', `${PLURAL}.${API_GROUP}`, name, '-n', namespace, '--watch'];
    const child = spawn(
      part('kubectl'),
      [`--kubeconfig=${bed.kubeconfig}`, ...question, '-o', 'jsonpath={.status}{"\\n"}'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    createInterface(child.stdout).on('line', (line) => {
      if (line === '') return;
      this.seen.push({ seenAtMs: Date.now(), status: JSON.parse(line) as ModelDeploymentStatus });
    });
    this.child = child;
  }

  /** The first status from now on (the present one too) that is as wanted. */
  async until(
    what: string,
    is: (status: ModelDeploymentStatus) => boolean,
    timeoutMs = 60_000,
  ): Promise<ModelDeploymentStatus> {
    const from = Math.max(0, this.seen.length - 1);
    return await waitFor(
      what,
      () => {
        const found = this.seen.slice(from).find(({ status }) => is(status));
        if (found !== undefined) return found.status;
        const { phase = 'no status', reason, message } = this.seen.at(-1)?.status ?? {};
        throw new Error(`last seen ${phase}, ${reason ?? ''}: ${message ?? ''}`);
      },
      { timeoutMs, everyMs: 20 },
    );
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}

/** The share of traffic that is asked for a revision, of 10000. */
export function askedWeight({ revisions = [] }: ModelDeploymentStatus, revision: string): number {
  return revisions.find(({ name }) => name === revision)?.weight ?? 0;
}

/** True when all proxies are said to use a routing that gives a revision this share of 10000. */
export function isProven(status: ModelDeploymentStatus, revision: string, weight: number): boolean {
  return status.routing?.provenAt !== undefined && askedWeight(status, revision) === weight;
}
