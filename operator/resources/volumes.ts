import { DOWNLOAD_FOLDER } from '../api/names.ts';
import type { Snapshot } from './controller-revision.ts';
import { supplyModel } from './model-supply.ts';
import { runtimeMounts } from './runtime-mounts.ts';

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

/** The root file system is read-only: what has to be written goes into folders that die with the pod. */
export function buildVolumes(snapshot: Snapshot): readonly Volume[] {
  return [
    { name: 'downloads', emptyDir: {} },
    { name: 'scratch', emptyDir: {} },
    ...supplyModel(snapshot).volumes,
    ...runtimeMounts(snapshot).map(({ volume }) => volume),
    ...(snapshot.podShape.podTemplate?.spec?.volumes ?? []),
  ];
}

export function buildVolumeMounts(snapshot: Snapshot): readonly VolumeMount[] {
  return [
    { name: 'downloads', mountPath: DOWNLOAD_FOLDER },
    { name: 'scratch', mountPath: '/tmp' },
    ...supplyModel(snapshot).mounts,
    ...runtimeMounts(snapshot).map(({ volume: { name }, mount }) => ({ name, ...mount })),
    ...(snapshot.podShape.podTemplate?.spec?.volumeMounts ?? []),
  ];
}
