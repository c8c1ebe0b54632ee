import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceBeside } from './istio-objects.ts';
import { addresses, ports, repository } from './layout.ts';
import { part } from './programs.ts';
import { waitForAnswer, type Program, type Site } from './site.ts';
import { waitFor } from './wait.ts';

export const monitoringNamespace = 'monitoring';
export const prometheusUrl = `http://${addresses.node}:${ports.prometheus}`;

/** The rule that users get with the chart; the bed has none of its own. */
const adapterRule = join(repository, 'charts/headgate/files/prometheus-adapter-rule.yaml');

export async function startPrometheus(site: Site): Promise<Program> {
  const kubeconfig = await site.kubeconfig('prometheus', {
    commonName: 'prometheus',
    organizations: ['system:masters'],
  });
  const file = join(site.layout.configuration, 'prometheus.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(prometheusConfiguration(kubeconfig), null, 2));
  return await site.launch('prometheus', [
    part('prometheus'),
    ...[`--config.file=${file}`, `--storage.tsdb.path=${site.layout.folder}/prometheus`, '--log.level=warn'],
    ...[`--web.listen-address=${addresses.node}:${ports.prometheus}`, '--storage.tsdb.retention.time=1d'],
  ]);
}

/** Pods that ask for it by the usual annotations, every 5 s. */
function prometheusConfiguration(kubeconfig: string): object {
  const annotation = (name: string): string => `__meta_kubernetes_pod_annotation_prometheus_io_${name}`;
  return {
    global: { scrape_interval: '5s', scrape_timeout: '4s' },
    scrape_configs: [
      {
        job_name: 'pods',
        kubernetes_sd_configs: [{ role: 'pod', kubeconfig_file: kubeconfig }],
        relabel_configs: [
          { source_labels: [annotation('scrape')], action: 'keep', regex: 'true' },
          {
            source_labels: ['__meta_kubernetes_pod_phase'],
            action: 'drop',
            regex: 'Pending|Succeeded|Failed',
          },
          { source_labels: [annotation('path')], regex: '(.+)', target_label: '__metrics_path__' },
          {
            source_labels: ['__meta_kubernetes_pod_ip', annotation('port')],
            regex: '(.+);(.+)',
            replacement: '$1:$2',
            target_label: '__address__',
          },
          { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
          { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
        ],
      },
    ],
  };
}

export async function startAdapter(site: Site): Promise<Program> {
  if (!existsSync(adapterRule))
    throw new Error(`the chart ships no rule for prometheus-adapter at ${adapterRule}`);
  const [kubeconfig, serving] = await Promise.all([
    site.kubeconfig('prometheus-adapter', {
      commonName: 'prometheus-adapter',
      organizations: ['system:masters'],
    }),
    site.identities.authority.issue('prometheus-adapter-serving', {
      commonName: 'prometheus-adapter',
      alternativeNames: [`DNS:prometheus-adapter.${monitoringNamespace}.svc`, `IP:${addresses.node}`],
    }),
  ]);
  const adapter = await site.launch('prometheus-adapter', [
    part('prometheus-adapter'),
    ...[`--config=${adapterRule}`, `--prometheus-url=${prometheusUrl}`, '--metrics-relist-interval=5s'],
    ...[`--bind-address=${addresses.node}`, `--secure-port=${ports.adapter}`],
    ...[`--tls-cert-file=${serving.certificate}`, `--tls-private-key-file=${serving.key}`],
    ...[`--lister-kubeconfig=${kubeconfig}`, `--authentication-kubeconfig=${kubeconfig}`],
    `--authorization-kubeconfig=${kubeconfig}`,
  ]);
  await site.kubectl.apply(adapterObjects());
  return adapter;
}

function adapterObjects(): object[] {
  return [
    ...serviceBeside({
      namespace: monitoringNamespace,
      name: 'prometheus-adapter',
      ports: [{ name: 'https', port: 443, targetPort: ports.adapter }],
    }),
    ...serviceBeside({
      namespace: monitoringNamespace,
      name: 'prometheus',
      ports: [{ name: 'http', port: 80, targetPort: ports.prometheus }],
    }),
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.custom.metrics.k8s.io' },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { namespace: monitoringNamespace, name: 'prometheus-adapter', port: 443 },
      },
    },
  ];
}

export async function waitForMonitoring(site: Site, prometheus: Program, adapter: Program): Promise<void> {
  await waitForAnswer(prometheus, `${prometheusUrl}/-/ready`);
  await waitFor(
    'the metrics API is available',
    async () => {
      adapter.assertRunning();
      const status = await site.kubectl(
        ...['get', 'apiservice', 'v1beta1.custom.metrics.k8s.io'],
        ...['-o', 'jsonpath={.status.conditions[?(@.type=="Available")].status}'],
      );
      return status === 'True';
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
}
