import type { PodShape } from '../api/model-deployment.ts';
import { DOWNLOAD_FOLDER, MODEL_CLAIM_MOUNT } from '../api/names.ts';

export interface Volume {
  readonly name: string;
  readonly [source: string]: unknown;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** The claim and the path within it that a pvc:// URI names; undefined for any other URI. */
export function claimOf(uri: string): { readonly claim: string; readonly path: string } | undefined {
  const match = /^pvc:\/\/([^/]+)\/(.+)$/.exec(uri);
  const [, claim, path] = match ?? [];
  return claim === undefined || path === undefined ? undefined : { claim, path };
}

/** The root file system is read-only: what has to be written goes into folders that die with the pod. */
export function buildVolumes({ model, podTemplate }: PodShape): readonly Volume[] {
  const claim = claimOf(model.uri);
  return [
    { name: 'downloads', emptyDir: {} },
    { name: 'scratch', emptyDir: {} },
    ...(claim === undefined
      ? []
      : [{ name: 'model', persistentVolumeClaim: { claimName: claim.claim, readOnly: true } }]),
    ...(podTemplate?.spec?.volumes ?? []),
  ];
}

export function buildVolumeMounts({ model, podTemplate }: PodShape): readonly VolumeMount[] {
  return [
    { name: 'downloads', mountPath: DOWNLOAD_FOLDER },
    { name: 'scratch', mountPath: '/tmp' },
    ...(claimOf(model.uri) === undefined
      ? []
      : [{ name: 'model', mountPath: MODEL_CLAIM_MOUNT, readOnly: true }]),
    ...(podTemplate?.spec?.volumeMounts ?? []),
  ];
}
