// What `helm test` runs, inside a pod of the release's namespace.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const environment = process.env;
const service = environment.METRICS_SERVICE.toUpperCase().replaceAll('-', '_');
const operator = `http://${environment[`${service}_SERVICE_HOST`]}:8081`;
const apiServer = `https://${environment.KUBERNETES_SERVICE_HOST}:${environment.KUBERNETES_SERVICE_PORT}`;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');

const checks = {
  'the operator is ready': () => ask(`${operator}/readyz`),
  'the operator shows its metrics': async () => {
    const metrics = await ask(`${operator}/metrics`);
    if (!metrics.includes('process_cpu_seconds_total')) throw new Error('no process metrics in the answer');
  },
  'the API server serves ModelDeployments': async () => {
    const { resources } = JSON.parse(
      await ask(`${apiServer}/apis/headgate.dev/v1alpha1`, { authorization: `Bearer ${token}` }),
    );
    const names = resources.map(({ name }) => name);
    for (const name of ['modeldeployments', 'modeldeployments/status']) {
      if (!names.includes(name)) throw new Error(`${name} is not among ${names.join(', ')}`);
    }
  },
};

async function ask(url, headers = {}) {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text;
}

/** Right after an installation the operator's image may still be on its way: 60 s for all checks together. */
const deadline = performance.now() + 60_000;
for (const [sentence, check] of Object.entries(checks)) {
  for (;;) {
    try {
      await check();
      console.log(`ok: ${sentence}`);
      break;
    } catch (error) {
      if (performance.now() > deadline) {
        console.error(`failed: ${sentence}: ${error.cause?.message ?? error.message}`);
        process.exit(1);
      }
      await pause(1_000);
    }
  }
}
