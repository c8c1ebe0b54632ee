import type { Bed } from '../../bed/bed.ts';
import { operator } from './stack.ts';

/** What somebody who looks into a failure would ask the cluster first. */
export async function printDiagnostics(bed: Bed, namespace: string): Promise<void> {
  const questions: readonly (readonly string[])[] = [
    ['get', 'modeldeployments', '-n', namespace, '-o', 'wide'],
    ['describe', 'modeldeployments', '-n', namespace],
    ['get', 'pods,services,hpa,virtualservices,controllerrevisions', '-n', namespace, '-o', 'wide'],
    ['get', 'events', '-n', namespace, '--sort-by=.lastTimestamp'],
    ['get', 'pods', '-n', operator.namespace, '-o', 'wide'],
    ['logs', '-n', operator.namespace, '-l', operator.selector, '--prefix', '--tail=60'],
    ['logs', '-n', namespace, '-l', 'app.kubernetes.io/managed-by=headgate', '--tail=15', '--prefix'],
  ];
  for (const question of questions) {
    const answer = await bed.kubectl(...question).catch(String);
    console.log(`\n$ kubectl ${question.join(' ')}\n${answer.trimEnd()}`);
  }
}
