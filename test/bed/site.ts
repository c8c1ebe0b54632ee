import { join } from 'node:path';
import { writeKubeconfig, type LeafRequest } from './certificates.ts';
import type { Identities } from './control-plane.ts';
import type { Kubectl } from './kubectl.ts';
import { apiServerUrl, type Layout } from './layout.ts';
import { assertRunningInside, launchInside, type Namespace } from './namespace.ts';
import { readRecord, writeRecord, type BedRecord } from './record.ts';
import { waitFor } from './wait.ts';

/** A bed while it is being built: what its parts need of each other. */
export class Site {
  readonly layout: Layout;
  readonly namespace: Namespace;
  readonly identities: Identities;
  readonly kubectl: Kubectl;
  private recording: Promise<void> = Promise.resolve();

  constructor(layout: Layout, namespace: Namespace, identities: Identities, kubectl: Kubectl) {
    this.layout = layout;
    this.namespace = namespace;
    this.identities = identities;
    this.kubectl = kubectl;
  }

  logOf(name: string): string {
    return join(this.layout.logs, `${name}.log`);
  }

  async launch(
    name: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    const logFile = this.logOf(name);
    const pid = await launchInside(this.namespace, { name, command, logFile, env });
    await this.note((record) => ({ ...record, programs: { ...record.programs, [name]: pid } }));
    return { name, pid, assertRunning: () => assertRunningInside(this.namespace, name, pid, logFile) };
  }

  /** A kubeconfig for a component with a certificate of its own. */
  async kubeconfig(file: string, user: LeafRequest): Promise<string> {
    const pair = await this.identities.authority.issue(file, user);
    const path = join(this.layout.configuration, `${file}.kubeconfig`);
    await writeKubeconfig(path, apiServerUrl, this.identities.authority, { pair });
    return path;
  }

  /** Changes of the record are made one after another: parts start side by side. */
  note(change: (record: BedRecord) => BedRecord): Promise<void> {
    this.recording = this.recording.then(async () => {
      const record = readRecord(this.layout);
      if (record !== undefined) await writeRecord(this.layout, change(record));
    });
    return this.recording;
  }
}

export interface Program {
  readonly name: string;
  readonly pid: number;
  assertRunning(): void;
}

/** Waits until an address answers 200; gives up at once when the program behind it has ended. */
export async function waitForAnswer(program: Program, url: string, timeoutMs = 60_000): Promise<void> {
  await waitFor(
    `${program.name} answers at ${url}`,
    async () => {
      program.assertRunning();
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.ok;
    },
    { timeoutMs },
  );
}
