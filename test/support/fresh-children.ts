import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { revisionName } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { Scene } from './scene.ts';

/** More than any routing takes to be proven without a gateway. */
const LONG_MS = 60_000;

/** What a ModelDeployment that never had another spec would have made by the time its pods are ready. */
export function freshChildren(
  modelDeployment: ModelDeployment,
  runtimeImage: string,
): readonly KubernetesObject[] {
  const { metadata, spec, apiVersion, kind } = modelDeployment;
  const scene = new Scene(metadata.name);
  scene.modelDeployment = { apiVersion, kind, metadata, spec };
  scene.platform = { istio: true, customMetrics: false };
  scene.runtimeImage = runtimeImage;
  const revision = revisionName(metadata.name, spec);
  scene.pods = Array.from({ length: spec.scaling.minReplicas }, (_, index) => ({
    ...{ name: `pod-${index}`, revision, ready: true, terminating: false, crashes: 0 },
  }));
  scene.rests().later(LONG_MS).rests();
  return scene.children.map(asApplied);
}

/** Without what an API server adds. */
function asApplied({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const { uid: _uid, creationTimestamp: _at, resourceVersion: _version, ...own } = metadata;
  return { ...object, metadata: own };
}
