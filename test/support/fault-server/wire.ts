import type { Trim } from '../../../operator/controller/list-watch.ts';
import type { Happening, Thing } from './truth.ts';

/** An object as the server sends it: more than a cache keeps. */
export interface SentThing {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly managedFields: readonly object[];
  };
  readonly spec: object;
  readonly status: { readonly world: number };
}

export function sentThing({ name, uid, version, world }: Thing): SentThing {
  return {
    metadata: {
      ...{ name, uid, namespace: 'ml', resourceVersion: String(version) },
      managedFields: [{ manager: 'somebody' }],
      labels: { owner: 'fraud' },
    },
    spec: { nodeName: 'large and unread' },
    status: { world },
  };
}

/** As a cache keeps it. */
export const trimThing: Trim = ({ apiVersion, kind }, raw) => {
  const { metadata, status } = raw as SentThing;
  const { managedFields: _managedFields, ...kept } = metadata;
  return { ...{ apiVersion, kind, status }, metadata: kept };
};

export function lineOf({ type, thing }: Happening): string {
  return `${JSON.stringify({ type, object: sentThing(thing) })}\n`;
}

export function bookmarkLine(version: number, isEndOfList = false): string {
  const annotations = isEndOfList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), ...annotations } } })}\n`;
}
