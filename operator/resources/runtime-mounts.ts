import { MANAGEMENT_TOKEN_FOLDER, RECORDS_MOUNT, REDIS_FOLDER } from '../api/names.ts';
import type { Snapshot } from './controller-revision.ts';
import type { Volume, VolumeMount } from './volumes.ts';

export type RedisUse = 'cache' | 'feedback';

interface Mounted {
  readonly volume: Volume;
  readonly mount: Omit<VolumeMount, 'name'>;
}

const PASSWORD_KEY = 'password';
const TOKEN_KEY = 'token';

export const managementTokenFile = `${MANAGEMENT_TOKEN_FOLDER}/${TOKEN_KEY}`;

export function redisPasswordFile(use: RedisUse): string {
  return `${REDIS_FOLDER}/${use}/${PASSWORD_KEY}`;
}

/** The claim that the pods write to, if there is one. */
export function recordsClaim({ podShape }: Snapshot): string | undefined {
  return podShape.runtime?.records?.file?.claimName;
}

/** What the fields of `spec.runtime` add to the volumes of a pod. */
export function runtimeMounts(snapshot: Snapshot): readonly Mounted[] {
  const claimName = recordsClaim(snapshot);
  return [
    ...(claimName === undefined ? [] : [mountedClaim(claimName)]),
    ...mountedPassword(snapshot, 'cache'),
    ...mountedPassword(snapshot, 'feedback'),
    ...mountedToken(snapshot),
  ];
}

function mountedClaim(claimName: string): Mounted {
  return {
    volume: { name: 'decision-records', persistentVolumeClaim: { claimName } },
    mount: { mountPath: RECORDS_MOUNT },
  };
}

function mountedPassword({ podShape }: Snapshot, use: RedisUse): readonly Mounted[] {
  const secretName = podShape.runtime?.[use]?.redis?.secretName;
  if (secretName === undefined) return [];
  return [mountedKey(secretName, PASSWORD_KEY, { name: `${use}-redis`, folder: `${REDIS_FOLDER}/${use}` })];
}

function mountedToken({ podShape }: Snapshot): readonly Mounted[] {
  const secretName = podShape.runtime?.management?.tokenSecretName;
  if (secretName === undefined) return [];
  return [mountedKey(secretName, TOKEN_KEY, { name: 'management-token', folder: MANAGEMENT_TOKEN_FOLDER })];
}

/** The kubelet mounts the Secret: the operator has no right to read it. */
function mountedKey(secretName: string, key: string, place: { name: string; folder: string }): Mounted {
  return {
    volume: { name: place.name, secret: { secretName, items: [{ key, path: key }] } },
    mount: { mountPath: place.folder, readOnly: true },
  };
}
