import { API_GROUP, PLURAL } from '../../../operator/api/names.ts';
import type { ModelDeploymentStatus } from '../../../operator/api/status.ts';
import type { Bed } from '../../bed/bed.ts';
import { waitFor } from '../../bed/wait.ts';

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** The status that speaks of the present spec; undefined while it still speaks of an older one. */
export async function readStatus(
  bed: Bed,
  { namespace, name }: ObjectName,
): Promise<ModelDeploymentStatus | undefined> {
  const found = (await bed.kubectl.json('get', `${PLURAL}.${API_GROUP}`, name, '-n', namespace)) as {
    readonly metadata: { readonly generation: number };
    readonly status?: ModelDeploymentStatus;
  };
  return found.status?.observedGeneration === found.metadata.generation ? found.status : undefined;
}

/** Waits until status, for the present generation, is as wanted; a failure tells how it was last. */
export async function waitForStatus(
  bed: Bed,
  name: ObjectName,
  wanted: {
    readonly what: string;
    readonly is: (status: ModelDeploymentStatus) => boolean;
    readonly timeoutMs?: number;
  },
): Promise<ModelDeploymentStatus> {
  return await waitFor(
    `${name.namespace}/${name.name} ${wanted.what}`,
    async () => {
      const status = await readStatus(bed, name);
      if (status !== undefined && wanted.is(status)) return status;
      throw new Error(
        `it is ${status?.phase ?? 'without status'}, ${status?.reason ?? ''}: ${status?.message ?? ''}`,
      );
    },
    { timeoutMs: wanted.timeoutMs ?? 90_000, everyMs: 200 },
  );
}

export async function waitForPhase(
  bed: Bed,
  name: ObjectName,
  phase: NonNullable<ModelDeploymentStatus['phase']>,
  timeoutMs?: number,
): Promise<ModelDeploymentStatus> {
  return await waitForStatus(bed, name, {
    what: `becomes ${phase}`,
    is: (status) => status.phase === phase,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}
