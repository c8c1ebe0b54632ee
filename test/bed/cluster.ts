import { join } from 'node:path';
import { apiServerArguments, askApiServer, clusterArguments, etcdArguments } from './control-plane.ts';
import { addresses, apiServerUrl, ports } from './layout.ts';
import { part } from './programs.ts';
import type { Site } from './site.ts';
import { waitFor } from './wait.ts';

const etcdUrl = `http://127.0.0.1:${ports.etcd}`;

/** etcd and the API server with the aggregation layer. */
export async function startApi(site: Site): Promise<void> {
  const place = {
    folder: join(site.layout.folder, 'etcd'),
    clientUrl: etcdUrl,
    peerUrl: `http://127.0.0.1:${ports.etcdPeer}`,
  };
  const etcd = await site.launch('etcd', [part('etcd'), ...etcdArguments(place)]);
  const args = await apiServerArguments({
    ...{ folder: site.layout.folder, address: addresses.node, port: ports.apiServer, etcdUrl },
    serviceRange: addresses.serviceRange,
    identities: site.identities,
    further: clusterArguments(site.identities),
  });
  const apiServer = await site.launch('kube-apiserver', [part('kube-apiserver'), ...args]);
  await waitFor(
    'the API server becomes ready',
    async () => {
      etcd.assertRunning();
      apiServer.assertRunning();
      return (await askApiServer(apiServerUrl, '/readyz', site.identities)) === 200;
    },
    { timeoutMs: 60_000 },
  );
}

export async function startControllers(site: Site): Promise<void> {
  const [manager, scheduler] = await Promise.all([
    site.kubeconfig('controller-manager', { commonName: 'system:kube-controller-manager' }),
    site.kubeconfig('scheduler', { commonName: 'system:kube-scheduler' }),
  ]);
  const { identities } = site;
  await site.launch('kube-controller-manager', [
    part('kube-controller-manager'),
    ...[`--kubeconfig=${manager}`, '--leader-elect=false', '--use-service-account-credentials=true'],
    ...['--bind-address=127.0.0.1', `--root-ca-file=${identities.authority.certificate}`],
    `--service-account-private-key-file=${identities.serviceAccountKeys.privateKey}`,
    `--cluster-signing-cert-file=${identities.authority.certificate}`,
    `--cluster-signing-key-file=${join(site.layout.pki, 'cluster-ca.key')}`,
    // A test shall see the autoscaler act in seconds; everything else keeps its default.
    ...[
      '--horizontal-pod-autoscaler-sync-period=5s',
      `--flex-volume-plugin-dir=${site.layout.folder}/kubelet/volume-plugins`,
    ],
    ...['--kube-api-qps=200', '--kube-api-burst=400'],
  ]);
  await site.launch('kube-scheduler', [
    part('kube-scheduler'),
    ...[`--kubeconfig=${scheduler}`, '--leader-elect=false', '--bind-address=127.0.0.1'],
  ]);
}
