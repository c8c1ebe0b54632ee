import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where scripts/toolchain.sh and build-parts.sh keep what they have made. */
export const cacheFolder =
  process.env['HEADGATE_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate');

export type Part =
  | 'etcd'
  | 'kube-apiserver'
  | 'kubectl'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'istiod'
  | 'istio-crds.yaml'
  | 'helm'
  | 'kubeconform'
  | 'lua-runner'
  | 'kube-score'
  | 'kubesec'
  | 'trivy-config'
  | 'checkov'
  | 'trivy'
  | 'clients-python'
  | 'moto_server'
  | 'gcp-storage-emulator'
  | 'registry'
  | 'prometheus'
  | 'prometheus-adapter';

/** The path of a program that build-parts.sh has built. */
export function part(name: Part): string {
  const path = join(cacheFolder, 'bin', name);
  if (!existsSync(path)) {
    throw new Error(
      `${name} is not built yet: run test/bed/build-parts.sh (it builds each part once, into ${cacheFolder})`,
    );
  }
  return path;
}
