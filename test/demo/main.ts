import { cacheFolder } from '../bed/programs.ts';
import { join } from 'node:path';
import { startBed, type Bed } from '../bed/bed.ts';
import { ensureProjectImage } from '../bed/images.ts';
import { gatewayTargets } from '../bed/pods.ts';
import { isFailure } from '../bed/load.ts';
import { Progress } from '../bed/progress.ts';
import { printDiagnostics } from '../e2e/support/diagnostics.ts';
import { ensureStack, operator } from '../e2e/support/stack.ts';
import { keepModelsServed } from './model-store.ts';
import { Narrator } from './narrator.ts';
import { host, pathPrefix, Story, subject } from './story.ts';
import { renderSummary } from './summary.ts';

const narrator = new Narrator();

async function setUp(): Promise<Bed> {
  const progress = new Progress((line) => narrator.say(line));
  narrator.say(
    'Setting up, with the seconds that each part takes; the first time images are built, which takes minutes:',
  );
  // First of all, because it refuses when something that it needs is taken.
  const bed = await progress.step('the cluster in all', () =>
    startBed({ print: (line) => narrator.say(line) }),
  );
  await progress.step('image of the operator', () => ensureProjectImage('operator'));
  await progress.step('image of the runtime', () => ensureProjectImage('runtime'));
  await progress.step('both images into the cluster, helm install', () => ensureStack(() => undefined));
  await progress.step('models of examples/models over http', () => keepModelsServed(bed));
  await progress.step(`a fresh namespace ${subject.namespace}`, () => freshNamespace(bed));
  return bed;
}

/** What an earlier demo has left is removed, so that the story begins where it says. */
async function freshNamespace(bed: Bed): Promise<void> {
  await bed.kubectl('delete', 'namespace', subject.namespace, '--ignore-not-found', '--wait=true');
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await bed.kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: subject.namespace, labels } },
  ]);
}

async function tell(story: Story): Promise<void> {
  await story.firstVersion('v1, a logistic regression, is served', '1-first-version.yaml');
  await story.betterVersion(
    'v2, a random forest, takes over step by step',
    '2-better-version.yaml',
    [5, 25, 50, 100],
  );
  await story.badVersion({
    title: 'v3 answers real requests with errors and goes back by itself',
    version: 'v3',
    file: '3-answers-with-errors.yaml',
    reason: 'ErrorRateTooHigh',
    evidence: 'the first answer with an error',
    isEvidence: (record, candidate) => record.revision === candidate && isFailure(record),
  });
  await story.badVersion({
    title: 'v4 becomes ready, crashes 15 s later, and goes back by itself',
    version: 'v4',
    file: '4-crashes.yaml',
    reason: 'CrashLoop',
    evidence: 'the first request that reached nobody',
    isEvidence: (record) => isFailure(record),
  });
}

async function sayWhatNow(bed: Bed): Promise<void> {
  const [gateway = ''] = await gatewayTargets(bed);
  const { namespace, name } = subject;
  narrator.say(
    '',
    'The cluster stays up. To look around:',
    `  export KUBECONFIG=${bed.kubeconfig} PATH=${join(cacheFolder, 'bin')}:$PATH`,
    '  kubectl get modeldeployments -A -o wide',
    `  kubectl -n ${namespace} describe modeldeployment ${name}`,
    `  kubectl -n ${namespace} get pods,hpa,virtualservices,events`,
    `  kubectl -n ${operator.namespace} logs -l ${operator.selector} --prefix`,
    `  curl -s -H 'Host: ${host}' -H 'Content-Type: application/json' -d @examples/models/sample-request.json \\`,
    `    http://${gateway}${pathPrefix}/v2/models/${name}/infer`,
    '  kubectl apply -f examples/demo/1-first-version.yaml    # and on to another version',
    'To take it down, with everything that it changed on this machine: make clean',
  );
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const bed = await setUp();
  const story = new Story(bed, narrator);
  try {
    await tell(story);
  } catch (error) {
    await printDiagnostics(bed, subject.namespace);
    throw error;
  } finally {
    await story.end();
  }
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
  narrator.beginChapter(`Summary, ${minutes} minutes after the start`);
  narrator.say(...renderSummary(story.chapters, story.recoveries, story.names));
  await sayWhatNow(bed);
}

await main().catch((error: unknown) => {
  console.error(`\nThe demo ended early: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
