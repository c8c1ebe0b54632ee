import { envoyBootstrap } from './envoy-bootstrap.ts';
import { envoyImage } from './images.ts';
import { addresses, ports } from './layout.ts';

const namespace = 'istio-system';
const labels = { app: 'public-gateway', istio: 'public-gateway' };

/** istiod runs beside the cluster; the Service is how its address is found from inside. */
export const istiodService = serviceBeside({
  namespace,
  name: 'istiod',
  labels: { app: 'istiod' },
  ports: [
    { name: 'grpc-xds', port: ports.istiodGrpc },
    { name: 'http-monitoring', port: ports.istiodMonitoring },
  ],
});

export interface ServiceBeside {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort?: number }[];
}

/** A Service for a program on the node itself, by a hand-written EndpointSlice. */
export function serviceBeside(service: ServiceBeside): object[] {
  const metadata = { namespace: service.namespace, name: service.name, labels: service.labels ?? {} };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        ports: service.ports.map(({ name, port, targetPort }) => ({
          name,
          port,
          targetPort: targetPort ?? port,
        })),
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...metadata,
        name: `${service.name}-bed`,
        labels: { ...service.labels, 'kubernetes.io/service-name': service.name },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [addresses.node], conditions: { ready: true } }],
      ports: service.ports.map(({ name, port, targetPort }) => ({
        name,
        port: targetPort ?? port,
        protocol: 'TCP',
      })),
    },
  ];
}

/** Two Envoys as ordinary pods, their Service, the Istio Gateway that they serve, and a mesh without TLS. */
export function gatewayObjects(): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'public-gateway' },
      data: { 'bootstrap.json': JSON.stringify(envoyBootstrap({ adminAddress: '0.0.0.0' })) },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'public-gateway', labels },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: gatewayPod() },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name: 'public-gateway', labels },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }] },
    },
    // Nobody hands out certificates here, and a sidecar that waits for one accepts no connection at all.
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { namespace, name: 'default' },
      spec: { mtls: { mode: 'DISABLE' } },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { namespace, name: 'public' },
      spec: {
        selector: { istio: 'public-gateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
      },
    },
  ];
}

function gatewayPod(): object {
  const metadata = {
    NAMESPACE: namespace,
    LABELS: labels,
    CLUSTER_ID: 'Kubernetes',
    ISTIO_VERSION: '1.27.0',
    NAME: '$(POD_NAME)',
  };
  const field = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: 'envoy',
        image: envoyImage,
        imagePullPolicy: 'Never',
        env: [field('POD_NAME', 'metadata.name'), field('POD_IP', 'status.podIP')],
        args: [
          ...['--config-path', '/etc/envoy/bootstrap.json', '--concurrency', '1', '--log-level', 'warning'],
          ...['--service-cluster', 'public-gateway.istio-system'],
          ...['--service-node', `router~$(POD_IP)~$(POD_NAME).${namespace}~${namespace}.svc.cluster.local`],
          ...['--config-yaml', JSON.stringify({ node: { metadata } })],
        ],
        // Without a request, a busy node would serve everybody else first.
        resources: { requests: { cpu: '300m', memory: '64Mi' } },
        ports: [
          { name: 'http', containerPort: 8080 },
          { name: 'admin', containerPort: 15_000 },
        ],
        readinessProbe: { httpGet: { path: '/ready', port: 15_000 }, periodSeconds: 1, failureThreshold: 3 },
        volumeMounts: [{ name: 'bootstrap', mountPath: '/etc/envoy', readOnly: true }],
      },
    ],
    volumes: [{ name: 'bootstrap', configMap: { name: 'public-gateway' } }],
  };
}
