import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { readRecord, isBedAlive, type BedRecord } from './record.ts';
import { buildBed, removeBed } from './bed-life.ts';
import { auditLogOf } from './control-plane.ts';
import { importImage } from './images.ts';
import type { Image } from './image-cache.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { addresses, apiServerUrl, bedLayout, names, type Layout } from './layout.ts';
import { prometheusUrl } from './monitoring.ts';
import { runInside, type Namespace } from './namespace.ts';
import { join } from 'node:path';

/** A running bed, as tests and the demo use it. */
export interface Bed {
  readonly layout: Layout;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly url: string;
  readonly auditLog: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly prometheusUrl: string;
  readonly kubectl: Kubectl;
  readonly namespace: Namespace;
  /** Runs a command in the bed's network, mounts and process numbers. */
  inside(...command: string[]): Promise<string>;
  importImage(image: Image): Promise<void>;
}

export interface BedOptions {
  readonly folder?: string;
  readonly print?: (line: string) => void;
}

/** Brings the whole stack up, or takes over one of ours that is up already. */
export async function startBed(options: BedOptions = {}): Promise<Bed> {
  const layout = bedLayout(options.folder);
  const print = options.print ?? ((): void => undefined);
  const record = readRecord(layout);
  if (isBedAlive(record)) {
    if (record?.complete === true) {
      print(`the bed in ${layout.folder} has been up since ${record.startedAt} and is used as it is`);
      return attach(layout, record);
    }
    throw new Error(
      `a bed in ${layout.folder} is being started or has failed half way; end it first: make bed-down`,
    );
  }
  if (record !== undefined) {
    print(`a bed in ${layout.folder} has died; what it left is removed first`);
    await removeBed(layout, record);
  }
  await buildBed(layout, print);
  return readBed(layout.folder);
}

/** The bed that is up already; throws one sentence when there is none. */
export function readBed(folder?: string): Bed {
  const layout = bedLayout(folder);
  const record = readRecord(layout);
  if (record?.complete !== true || !isBedAlive(record)) {
    throw new Error(`no bed is up in ${layout.folder}; start one: make bed-up`);
  }
  return attach(layout, record);
}

/** Ends everything of the bed and undoes what it changed on the machine. True when there was one. */
export async function stopBed(folder?: string): Promise<boolean> {
  const layout = bedLayout(folder);
  const record = readRecord(layout);
  if (record !== undefined) await removeBed(layout, record);
  // Without a record it holds the logs of a bed that failed.
  if (existsSync(layout.marker)) await rm(layout.folder, { recursive: true, force: true });
  return record !== undefined;
}

function attach(layout: Layout, record: BedRecord): Bed {
  const namespace = { firstPid: record.first?.pid ?? 0 };
  return {
    layout,
    kubeconfig: layout.kubeconfig,
    url: apiServerUrl,
    auditLog: auditLogOf(layout.folder),
    nodeName: names.node,
    nodeAddress: addresses.node,
    prometheusUrl,
    kubectl: createKubectl(layout.kubeconfig, join(layout.folder, 'kubectl-cache')),
    namespace,
    inside: (...command) => runInside(namespace, command),
    importImage: (image) => importImage(image, layout),
  };
}
