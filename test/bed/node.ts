import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createCgroups } from './cgroups.ts';
import { addresses, names } from './layout.ts';
import { bridgesPassIptables } from './network.ts';
import { writeContainerdFiles, writeKubeletFiles, writeProxyFile } from './node-files.ts';
import { part } from './programs.ts';
import { run } from './shell.ts';
import type { Site } from './site.ts';
import { waitFor } from './wait.ts';

export async function startContainerd(site: Site): Promise<void> {
  const configuration = await writeContainerdFiles(site.layout);
  const containerd = await site.launch('containerd', ['containerd', '--config', configuration]);
  await waitFor('containerd answers', async () => {
    containerd.assertRunning();
    await run('ctr', ['--address', site.layout.containerdSocket, 'version']);
    return true;
  });
}

export async function startNode(site: Site): Promise<void> {
  await createCgroups();
  const kubelet = join(site.layout.folder, 'kubelet');
  await mkdir(kubelet, { recursive: true });
  const { authority } = site.identities;
  const [kubeconfig, serving, proxy] = await Promise.all([
    site.kubeconfig('kubelet', { commonName: `system:node:${names.node}`, organizations: ['system:nodes'] }),
    authority.issue('kubelet-serving', {
      commonName: names.node,
      alternativeNames: [`IP:${addresses.node}`],
    }),
    site.kubeconfig('kube-proxy', { commonName: 'system:kube-proxy' }),
  ]);
  await site.launch('kubelet', [
    part('kubelet'),
    `--config=${await writeKubeletFiles(site.layout, authority.certificate, serving)}`,
    ...[`--kubeconfig=${kubeconfig}`, `--root-dir=${kubelet}`],
    ...[`--hostname-override=${names.node}`, `--node-ip=${addresses.node}`],
  ]);
  await site.launch('kube-proxy', [
    part('kube-proxy'),
    `--config=${await writeProxyFile(site.layout, proxy, !bridgesPassIptables())}`,
  ]);
}

export async function waitForNode(site: Site): Promise<void> {
  await waitFor(
    'the node becomes ready',
    async () => {
      const ready = await site.kubectl(
        ...['get', 'node', names.node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'],
      );
      return ready === 'True';
    },
    { timeoutMs: 60_000, everyMs: 300 },
  );
}
