export interface EchoRevision {
  readonly namespace: string;
  readonly revision: string;
  readonly replicas: number;
  /** What its metric says. */
  readonly p95Ms: number;
}

/** Answers with its revision and the routing that it was reached by; its metrics say what they are told to. */
const server = `
const { createServer } = require('node:http');
const { REVISION: revision, P95: p95 } = process.env;
const echo = createServer((request, response) => {
  response.writeHead(200, { 'x-headgate-revision': revision });
  response.end(JSON.stringify({ revision, headers: request.headers }));
});
// Longer than a proxy keeps an idle connection: who closes first must not be the one that is asked.
echo.keepAliveTimeout = 75_000;
echo.listen(8080);
createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
  response.end('inference_latency_p95_ms ' + p95 + '\\n');
}).listen(8082);
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 3000));
`;

/** A hand-made revision: Deployment and Service in the shape that the operator makes. */
export function echoRevision({ namespace, revision, replicas, p95Ms }: EchoRevision): object[] {
  const labels = { app: 'echo', 'headgate.dev/revision': revision };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: revision, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8082' } },
          spec: {
            terminationGracePeriodSeconds: 5,
            containers: [
              {
                name: 'echo',
                image: 'docker.io/library/node:24-bookworm-slim',
                imagePullPolicy: 'Never',
                command: ['node', '-e', server],
                env: [
                  { name: 'REVISION', value: revision },
                  { name: 'P95', value: String(p95Ms) },
                ],
                readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name: revision, labels },
      spec: {
        selector: labels,
        ports: [{ name: 'http', port: 8080, targetPort: 8080, appProtocol: 'http' }],
      },
    },
  ];
}

export interface EchoRouting {
  readonly namespace: string;
  readonly host: string;
  readonly hash: string;
  readonly weights: Readonly<Record<string, number>>;
  /** For sidecars, not for the public gateway. */
  readonly mesh?: boolean;
}

/** A hand-written VirtualService of the shape of DESIGN: the probe first, then the weights. */
export function virtualService({ namespace, host, hash, weights, mesh = false }: EchoRouting): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { namespace, name: mesh ? 'echo.mesh' : 'echo' },
    spec: {
      hosts: [host],
      gateways: [mesh ? 'mesh' : 'istio-system/public'],
      http: [
        {
          match: [{ uri: { exact: '/.headgate/routing' } }],
          directResponse: { status: 200, body: { string: hash } },
        },
        {
          headers: { request: { set: { 'x-headgate-routing': hash } } },
          retries: { attempts: 0 },
          route: Object.entries(weights).map(([revision, weight]) => ({
            destination: { host: `${revision}.${namespace}.svc.cluster.local`, port: { number: 8080 } },
            weight,
            headers: { request: { set: { 'x-headgate-destination': revision } } },
          })),
        },
      ],
    },
  };
}
