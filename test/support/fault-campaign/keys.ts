import type { ModelDeploymentStatus } from '../../../operator/api/model-deployment.ts';

/** Which object, or which collection, a request is about. */
export interface Place {
  readonly namespace: string;
  readonly plural: string;
  readonly name: string;
  readonly subresource: string;
}

/** What is read of an object that is written or told of. */
export interface Told {
  readonly kind?: string;
  readonly reason?: string;
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly status?: unknown;
}

const PATH = /^\/(?:api|apis\/[^/]+)\/[^/]+\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** Undefined for what lies in no namespace. */
export function placeOf(path: string): Place | undefined {
  const [, namespace, plural, name = '', subresource = ''] = PATH.exec(path) ?? [];
  return namespace === undefined || plural === undefined
    ? undefined
    : { namespace, plural, name, subresource };
}

const REVISION = /(?<=^[a-z]+-)[a-z0-9]{10}(?=$|-\d+$)/;

/**
 * Names the writes and events of one rollout so that the same ones have the same names in another: by what they are
 * about, and how often there was such a one before. Revisions are numbered as they come.
 */
export class Keys {
  private readonly counts = new Map<string, number>();
  private readonly revisions = new Map<string, number>();

  ofWrite(method: string, place: Place, body: Told | undefined): string {
    if (place.plural === 'events') return this.count(`${method} events ${body?.reason ?? ''}`);
    const what = place.subresource === '' ? place.plural : `${place.plural}/${place.subresource}`;
    const meaning = place.subresource === 'status' ? meaningOf(place.plural, body) : '';
    return this.count(`${method} ${what} ${this.alias(place.name)}${meaning}`);
  }

  ofEvent(type: string, plural: string, object: Told): string {
    const meaning = meaningOf(plural, object);
    return this.count(`${type} ${plural} ${this.alias(object.metadata.name ?? '')}${meaning}`);
  }

  /** The name with the number of its revision for the hash. */
  alias(name: string): string {
    return name.replace(REVISION, (revision) => {
      const number = this.revisions.get(revision) ?? this.revisions.size + 1;
      this.revisions.set(revision, number);
      return `v${number}`;
    });
  }

  private count(what: string): string {
    const count = (this.counts.get(what) ?? 0) + 1;
    this.counts.set(what, count);
    return `${what} #${count}`;
  }
}

/** How often a status is written depends on how fast pods come; what it says hardly does. */
function meaningOf(plural: string, told: Told | undefined): string {
  if (plural !== 'modeldeployments') return '';
  const { phase = 'new', reason = '', step = '' } = (told?.status ?? {}) as ModelDeploymentStatus;
  return ` ${phase} ${reason} ${step}`.trimEnd();
}
