import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../api/object.ts';
import type { PlannedEvent } from '../plan/action.ts';

const REPORTER = 'headgate';
/** The API server refuses longer ones. */
const LONGEST_MESSAGE = 1024;

/**
 * An event as `kubectl describe` and `kubectl get events` show it. Its name says which event it is: recording it
 * again in a pass that is repeated after a failure finds it there already.
 */
export function buildEvent(
  regarding: KubernetesObject,
  event: PlannedEvent,
  nowMs: number,
): KubernetesObject {
  const { name, namespace, uid, resourceVersion } = regarding.metadata;
  const at = new Date(nowMs).toISOString();
  const identity = createHash('sha256')
    .update(JSON.stringify([uid, resourceVersion, event.type, event.reason, event.message]))
    .digest('hex')
    .slice(0, 16);
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${identity}`, namespace },
    involvedObject: {
      apiVersion: regarding.apiVersion,
      kind: regarding.kind,
      name,
      namespace,
      uid,
      resourceVersion,
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, LONGEST_MESSAGE),
    source: { component: REPORTER },
    reportingComponent: REPORTER,
    firstTimestamp: at.replace(/\.\d+Z$/, 'Z'),
    lastTimestamp: at.replace(/\.\d+Z$/, 'Z'),
    count: 1,
  };
  return body as unknown as KubernetesObject;
}
