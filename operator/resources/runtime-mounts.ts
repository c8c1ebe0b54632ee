import { RECORDS_MOUNT, REDIS_FOLDER } from '../api/names.ts';
import type { Snapshot } from './controller-revision.ts';
import type { Volume, VolumeMount } from './volumes.ts';

export type RedisUse = 'cache' | 'feedback';

interface Mounted {
  readonly volume: Volume;
  readonly mount: Omit<VolumeMount, 'name'>;
}

const PASSWORD_KEY = 'password';

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
  ];
}

function mountedClaim(claimName: string): Mounted {
  return {
    volume: { name: 'decision-records', persistentVolumeClaim: { claimName } },
    mount: { mountPath: RECORDS_MOUNT },
  };
}

/** The kubelet mounts the Secret: the operator has no right to read it. */
function mountedPassword({ podShape }: Snapshot, use: RedisUse): readonly Mounted[] {
  const secretName = podShape.runtime?.[use]?.redis?.secretName;
  if (secretName === undefined) return [];
  const items = [{ key: PASSWORD_KEY, path: PASSWORD_KEY }];
  return [
    {
      volume: { name: `${use}-redis`, secret: { secretName, items } },
      mount: { mountPath: `${REDIS_FOLDER}/${use}`, readOnly: true },
    },
  ];
}
