import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gatewayObjects, istiodService } from './istio-objects.ts';
import { addresses, ports } from './layout.ts';
import { part } from './programs.ts';
import { waitForAnswer, type Site } from './site.ts';

/** A stock Envoy has none of Istio's own filters, and nobody here hands out certificates. */
const meshConfiguration = `
enableAutoMtls: false
defaultProviders: {}
enablePrometheusMerge: false
accessLogFile: ""
trustDomain: cluster.local
rootNamespace: istio-system
defaultConfig:
  discoveryAddress: ${addresses.node}:${ports.istiodGrpc}
`;

const istiodSettings = {
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  INJECT_ENABLED: 'false',
  VALIDATION_ENABLED: 'false',
  ENABLE_CA_SERVER: 'false',
  POD_NAMESPACE: 'istio-system',
  POD_NAME: 'istiod-bed',
  PILOT_ENABLE_STATUS: 'false',
};

export async function applyIstioCrds(site: Site): Promise<void> {
  await site.kubectl('create', '-f', part('istio-crds.yaml'));
  await site.kubectl.established(
    ...['crd/virtualservices.networking.istio.io', 'crd/gateways.networking.istio.io'],
    ...['crd/destinationrules.networking.istio.io', 'crd/peerauthentications.security.istio.io'],
  );
}

export async function startIstiod(site: Site): Promise<void> {
  const mesh = join(site.layout.configuration, 'mesh.yaml');
  const networks = join(site.layout.configuration, 'mesh-networks.yaml');
  await writeFile(mesh, meshConfiguration);
  await writeFile(networks, 'networks: {}\n');
  const kubeconfig = await site.kubeconfig('istiod', {
    commonName: 'istiod',
    organizations: ['system:masters'],
  });
  const istiod = await site.launch(
    'istiod',
    [
      ...[
        part('istiod'),
        'discovery',
        '--kubeconfig',
        kubeconfig,
        '--meshConfig',
        mesh,
        '--networksConfig',
        networks,
      ],
      ...['--grpcAddr', `${addresses.node}:${ports.istiodGrpc}`, '--secureGRPCAddr', '', '--httpsAddr', ''],
      ...['--monitoringAddr', `0.0.0.0:${ports.istiodMonitoring}`],
      ...['--httpAddr', `${addresses.node}:${ports.istiodHttp}`, '--ctrlz_port', '0'],
      ...['--registries', 'Kubernetes', '--clusterID', 'Kubernetes', '--domain', 'cluster.local'],
    ],
    istiodSettings,
  );
  await site.kubectl.apply(istiodService);
  await waitForAnswer(istiod, `http://${addresses.node}:${ports.istiodHttp}/ready`);
}

export async function startGateways(site: Site): Promise<void> {
  await site.kubectl.apply(gatewayObjects());
}

export async function waitForGateways(site: Site): Promise<void> {
  await site.kubectl(
    'rollout',
    'status',
    'deployment/public-gateway',
    '-n',
    'istio-system',
    '--timeout=120s',
  );
}
