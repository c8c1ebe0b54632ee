import { DOWNLOAD_FOLDER, RECORDS_MOUNT } from '../api/names.ts';
import type { Snapshot } from './controller-revision.ts';
import { supplyModel } from './model-supply.ts';

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

const RECORDS_VOLUME = 'decision-records';

/** The claim that the pods write to, if there is one. */
export function recordsClaim({ podShape }: Snapshot): readonly string[] {
  const claimName = podShape.runtime?.records?.file?.claimName;
  return claimName === undefined ? [] : [claimName];
}

/** The root file system is read-only: what has to be written goes into folders that die with the pod. */
export function buildVolumes(snapshot: Snapshot): readonly Volume[] {
  return [
    { name: 'downloads', emptyDir: {} },
    { name: 'scratch', emptyDir: {} },
    ...supplyModel(snapshot).volumes,
    ...recordsClaim(snapshot).map((claimName) => ({
      name: RECORDS_VOLUME,
      persistentVolumeClaim: { claimName },
    })),
    ...(snapshot.podShape.podTemplate?.spec?.volumes ?? []),
  ];
}

export function buildVolumeMounts(snapshot: Snapshot): readonly VolumeMount[] {
  return [
    { name: 'downloads', mountPath: DOWNLOAD_FOLDER },
    { name: 'scratch', mountPath: '/tmp' },
    ...supplyModel(snapshot).mounts,
    ...recordsClaim(snapshot).map(() => ({ name: RECORDS_VOLUME, mountPath: RECORDS_MOUNT })),
    ...(snapshot.podShape.podTemplate?.spec?.volumeMounts ?? []),
  ];
}
