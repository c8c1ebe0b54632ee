import { readFile } from 'node:fs/promises';
import { grantOf, type Grant } from '../../operator/kube/grants.ts';

const writingVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** One request that the API server has answered. */
export interface AuditedRequest {
  readonly at: number;
  readonly user: string;
  readonly verb: string;
  /** For example `services` or `deployments/status`. */
  readonly resource: string;
  readonly apiGroup: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: number;
  /** false: no right covers it. An admission that refuses, as in a namespace that ends, comes after that. */
  readonly isAuthorized: boolean;
  readonly userAgent: string;
  readonly path: string;
}

export interface AuditFilter {
  readonly user?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

interface AuditEvent {
  readonly requestReceivedTimestamp: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user?: { readonly username?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly responseStatus?: { readonly code?: number };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
}

/** The user name by which the API server knows a service account. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

export async function readAudit(auditLog: string, filter: AuditFilter = {}): Promise<AuditedRequest[]> {
  const text = await readFile(auditLog, 'utf8');
  // The last line may be half written: what is no whole line is read the next time.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => toRequest(JSON.parse(line) as AuditEvent))
    .filter((request) => matches(request, filter));
}

export async function readWrites(auditLog: string, filter: AuditFilter = {}): Promise<AuditedRequest[]> {
  const requests = await readAudit(auditLog, filter);
  return requests.filter((request) => writingVerbs.has(request.verb));
}

/** The rights that requests for resources have used. */
export function usedGrants(requests: readonly AuditedRequest[]): ReadonlySet<Grant> {
  const used = requests
    .filter(({ resource, isAuthorized }) => resource !== '' && isAuthorized)
    .flatMap(({ verb, status, apiGroup: group, resource: words }) => {
      const [resource = '', subresource] = words.split('/');
      const target = { group, resource, ...(subresource === undefined ? {} : { subresource }) };
      // An apply that has made its object is audited as the patch that it is.
      const verbs = verb === 'patch' && status === 201 ? ['patch', 'create'] : [verb];
      return verbs.map((each) => grantOf(each, target));
    });
  return new Set(used);
}

/** Says that a process lives; changes nothing of anybody's models. */
export function isSignOfLife({ resource }: AuditedRequest): boolean {
  return resource === 'leases';
}

/** Counts as sentences, for a failed assertion: `patch services ml/fraud: 3`. */
export function describeWrites(writes: readonly AuditedRequest[]): string[] {
  const counts = new Map<string, number>();
  for (const write of writes) {
    const sentence = `${write.user} ${write.verb} ${write.resource} ${write.namespace}/${write.name}`;
    counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  }
  return [...counts].map(([sentence, count]) => `${sentence}: ${count}`).sort();
}

function toRequest(event: AuditEvent): AuditedRequest {
  const reference = event.objectRef ?? {};
  const subresource = reference.subresource === undefined ? '' : `/${reference.subresource}`;
  return {
    at: Date.parse(event.requestReceivedTimestamp),
    user: event.user?.username ?? '',
    verb: event.verb,
    resource: `${reference.resource ?? ''}${subresource}`,
    ...referenceNames(reference),
    status: event.responseStatus?.code ?? 0,
    isAuthorized: event.annotations?.['authorization.k8s.io/decision'] !== 'forbid',
    userAgent: event.userAgent ?? '',
    path: event.requestURI,
  };
}

function referenceNames(
  reference: NonNullable<AuditEvent['objectRef']>,
): Pick<AuditedRequest, 'apiGroup' | 'namespace' | 'name'> {
  return {
    apiGroup: reference.apiGroup ?? '',
    namespace: reference.namespace ?? '',
    name: reference.name ?? '',
  };
}

function matches(request: AuditedRequest, filter: AuditFilter): boolean {
  if (filter.user !== undefined && request.user !== filter.user) return false;
  if (filter.resource !== undefined && request.resource !== filter.resource) return false;
  if (filter.namespace !== undefined && request.namespace !== filter.namespace) return false;
  return request.at >= (filter.fromMs ?? 0) && request.at <= (filter.toMs ?? Number.POSITIVE_INFINITY);
}
