import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeCgroups } from './cgroups.ts';
import { startApi, startControllers } from './cluster.ts';
import { createIdentities, writeAdminKubeconfig } from './control-plane.ts';
import { ensureBedImages, importImage } from './images.ts';
import { applyIstioCrds, startGateways, startIstiod, waitForGateways } from './istio.ts';
import { createKubectl } from './kubectl.ts';
import { apiServerNames, apiServerUrl, names, type Layout } from './layout.ts';
import { monitoringNamespace, startAdapter, startPrometheus, waitForMonitoring } from './monitoring.ts';
import { createNamespace } from './namespace.ts';
import { connect } from './network.ts';
import { startContainerd, startNode, waitForNode } from './node.ts';
import { findObstacles } from './preflight.ts';
import { Progress } from './progress.ts';
import {
  bootId,
  isAlive,
  markProcess,
  readRecord,
  writeRecord,
  type BedRecord,
  type ProcessMark,
} from './record.ts';
import { readSettings, restoreSettings } from './settings.ts';
import { run, succeeds } from './shell.ts';
import { Site } from './site.ts';
import { waitFor } from './wait.ts';

/** Everything from nothing; on a failure the machine is as before, but for the logs. */
export async function buildBed(layout: Layout, print: (line: string) => void): Promise<void> {
  const progress = new Progress(print);
  const obstacles = await findObstacles(layout);
  if (obstacles.length > 0) throw new Error(`the bed cannot start: ${obstacles.join('; ')}`);
  await rm(layout.folder, { recursive: true, force: true });
  await mkdir(layout.folder, { recursive: true });
  await writeFile(layout.marker, '');
  const images = await progress.step('images', ensureBedImages);
  try {
    const site = await progress.step('namespaces, network, certificates', () => openSite(layout));
    await Promise.all([
      progress.step('etcd and API server', () => startApi(site)),
      progress.step('containerd and its images', async () => {
        await startContainerd(site);
        await Promise.all(images.map((image) => importImage(image, layout)));
      }),
    ]);
    await startEverythingElse(site, progress);
    await site.note((record) => ({ ...record, complete: true }));
  } catch (error) {
    const record = readRecord(layout);
    if (record !== undefined) await endProcesses(layout, record);
    print(`the bed did not come up and is taken down again; its logs are in ${layout.logs}`);
    throw error;
  }
  progress.total(`the bed is up: export KUBECONFIG=${layout.kubeconfig}`);
}

async function startEverythingElse(site: Site, progress: Progress): Promise<void> {
  await Promise.all([startControllers(site), startNode(site), createBaseNamespaces(site)]);
  await Promise.all([
    progress.step('node ready', () => waitForNode(site)),
    progress.step('istiod and two gateways', async () => {
      await applyIstioCrds(site);
      await startIstiod(site);
      await startGateways(site);
      await waitForGateways(site);
    }),
    progress.step('Prometheus and prometheus-adapter', async () => {
      const [prometheus, adapter] = await Promise.all([startPrometheus(site), startAdapter(site)]);
      await waitForMonitoring(site, prometheus, adapter);
    }),
  ]);
}

async function createBaseNamespaces(site: Site): Promise<void> {
  const namespaces = ['istio-system', monitoringNamespace].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  await site.kubectl.apply(namespaces);
}

async function openSite(layout: Layout): Promise<Site> {
  for (const folder of [layout.configuration, layout.logs, layout.results])
    await mkdir(folder, { recursive: true });
  const createdFolders = existsSync('/var/lib/cni') ? [] : ['/var/lib/cni'];
  const record: BedRecord = {
    ...{ bootId: bootId(), startedAt: new Date().toISOString(), commandLine: process.argv.join(' ') },
    ...{ settings: readSettings(), createdFolders, programs: {}, complete: false },
  };
  await writeRecord(layout, record);
  for (const folder of createdFolders) await mkdir(folder);
  const namespace = await createNamespace(join(layout.folder, 'ready'), join(layout.logs, 'namespaces.log'));
  await writeRecord(layout, {
    ...record,
    keeper: markProcess(namespace.keeperPid),
    first: markProcess(namespace.firstPid),
  });
  const [identities] = await Promise.all([createIdentities(layout.pki, apiServerNames), connect(namespace)]);
  await writeAdminKubeconfig(layout.kubeconfig, apiServerUrl, identities);
  const kubectl = createKubectl(layout.kubeconfig, join(layout.folder, 'kubectl-cache'));
  return new Site(layout, namespace, identities, kubectl);
}

/** Undoes all, whether the bed is up, half up or was killed. */
export async function removeBed(layout: Layout, record: BedRecord): Promise<void> {
  await endProcesses(layout, record);
  await rm(layout.folder, { recursive: true, force: true });
}

async function endProcesses(layout: Layout, record: BedRecord): Promise<void> {
  const sameBoot = record.bootId === bootId();
  if (sameBoot) {
    // The first process of a process namespace takes all others with it, and they their mounts and links.
    for (const mark of [record.first, record.keeper]) await endProcess(mark);
    await removeLink();
    await removeCgroups();
    await restoreSettings(record.settings);
  }
  for (const folder of record.createdFolders) {
    if (existsSync(folder)) await rmdir(folder);
  }
  // The logs stay for reading; nothing of a bed runs or is mounted any more.
  await rm(layout.record, { force: true });
}

async function endProcess(mark: ProcessMark | undefined): Promise<void> {
  if (mark === undefined || !isAlive(mark)) return;
  process.kill(mark.pid, 'SIGKILL');
  await waitFor(`process ${mark.pid} has ended`, () => !isAlive(mark), { everyMs: 20 });
}

/** It goes with the bed's network namespace, which the kernel takes down a moment after its last process. */
async function removeLink(): Promise<void> {
  if (await succeeds('ip', ['link', 'show', 'dev', names.link])) {
    await run('ip', ['link', 'delete', 'dev', names.link]).catch(() => undefined);
  }
}
