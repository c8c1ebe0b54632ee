import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from './certificates.ts';
import { addresses, names, type Layout } from './layout.ts';

export const pauseImage = 'localhost/headgate-pause:dev';

export async function writeContainerdFiles(layout: Layout): Promise<string> {
  const network = join(layout.configuration, 'cni');
  await mkdir(network, { recursive: true });
  await writeFile(join(network, '10-bed.conflist'), JSON.stringify(podNetwork(layout), null, 2));
  const file = join(layout.configuration, 'containerd.toml');
  await writeFile(file, containerdConfiguration(layout, network));
  return file;
}

function podNetwork(layout: Layout): object {
  return {
    cniVersion: '0.4.0',
    name: names.podBridge,
    plugins: [
      {
        type: 'bridge',
        bridge: names.podBridge,
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          ranges: [
            [
              {
                subnet: addresses.podRange,
                gateway: addresses.podGateway,
                rangeStart: addresses.podRangeFirst,
                rangeEnd: addresses.podRangeLast,
              },
            ],
          ],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(layout.folder, 'pod-addresses'),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** restrict_oom_score_adj: without CAP_SYS_RESOURCE no sandbox could start. */
function containerdConfiguration(layout: Layout, network: string): string {
  return `version = 2
root = "${layout.folder}/containerd/root"
state = "${layout.folder}/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${layout.containerdSocket}"
[ttrpc]
  address = "${layout.containerdSocket}.ttrpc"
[debug]
  level = "warn"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${network}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

export async function writeKubeletFiles(
  layout: Layout,
  authority: string,
  serving: KeyPair,
): Promise<string> {
  const nameServers = join(layout.configuration, 'resolv.conf');
  await writeFile(nameServers, '');
  const file = join(layout.configuration, 'kubelet.json');
  await writeFile(
    file,
    JSON.stringify(kubeletConfiguration(layout, { authority, serving, nameServers }), null, 2),
  );
  return file;
}

interface KubeletInputs {
  readonly authority: string;
  readonly serving: KeyPair;
  readonly nameServers: string;
}

function kubeletConfiguration(layout: Layout, inputs: KubeletInputs): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    authentication: {
      x509: { clientCAFile: inputs.authority },
      webhook: { enabled: true },
      anonymous: { enabled: false },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: inputs.serving.certificate,
    tlsPrivateKeyFile: inputs.serving.key,
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${names.cgroup}`,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    evictionHard: {},
    // Images are put there by hand: nobody could fetch them again.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    podLogsDir: join(layout.logs, 'pods'),
    volumePluginDir: join(layout.folder, 'kubelet', 'volume-plugins'),
    resolvConf: inputs.nameServers,
    // Nothing answers there: pods get addresses, and a name is refused at once and not after a timeout.
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    maxPods: 200,
    serializeImagePulls: false,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    eventRecordQPS: 0,
    logging: { verbosity: 0 },
  };
}

export async function writeProxyFile(
  layout: Layout,
  kubeconfig: string,
  masqueradeAll: boolean,
): Promise<string> {
  const file = join(layout.configuration, 'kube-proxy.json');
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig },
    clusterCIDR: addresses.podRange,
    hostnameOverride: names.node,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    iptables: { masqueradeAll, minSyncPeriod: '100ms', syncPeriod: '30s' },
  };
  await writeFile(file, JSON.stringify(configuration, null, 2));
  return file;
}
