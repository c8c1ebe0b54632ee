import { join } from 'node:path';
import type { RunningApiServer } from '../../bed/api-server.ts';
import { BoundProgram } from '../../bed/child.ts';
import { part } from '../../bed/programs.ts';

/** What removes that whose owner is gone, and what is left in a namespace that ends; no other controllers. */
export function startRemovers({ folder, kubeconfig }: RunningApiServer): BoundProgram {
  const controllers = ['garbage-collector-controller', 'namespace-controller'].join();
  const args = [
    ...[`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
    ...[`--controllers=${controllers}`, '--kube-api-qps=200', '--kube-api-burst=400'],
  ];
  const logFile = join(folder, 'controllers.log');
  return new BoundProgram(part('kube-controller-manager'), args, { name: 'the controllers', logFile });
}
