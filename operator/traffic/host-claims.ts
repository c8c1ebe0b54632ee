import type { ModelDeployment } from '../api/model-deployment.ts';

/** What one ModelDeployment wants of gateways. */
export interface HostClaim {
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  readonly pathPrefix: string;
  /** The hosts that its live routes serve at this prefix already. */
  readonly held: readonly string[];
}

/** Undefined when it wants nothing of gateways. */
export function hostClaimOf(
  { metadata, spec }: ModelDeployment,
  held: readonly string[] = [],
): HostClaim | undefined {
  const { gateways, pathPrefix } = spec.traffic;
  const hosts = [...(spec.traffic.hosts ?? []), ...previewHostsOf(spec.rollout)];
  if (hosts.length === 0 || gateways === undefined) return undefined;
  const { namespace, name, creationTimestamp: createdAt = '' } = metadata;
  return { namespace, name, createdAt, hosts, gateways, pathPrefix, held };
}

/** Previews are routed by the same object, so that their hosts take in users' paths too. */
function previewHostsOf({ blueGreen }: ModelDeployment['spec']['rollout']): readonly string[] {
  const host = blueGreen?.preview?.host;
  return host === undefined ? [] : [host];
}

/** The one of `rivals` that keeps the claim from serving one of its hosts; undefined when none does. */
export function holderOf(
  claim: HostClaim,
  host: string,
  rivals: readonly HostClaim[],
): HostClaim | undefined {
  const own = { claim, host };
  const [holder] = rivals
    .filter((rival) =>
      rival.hosts
        .map((theirs) => ({ claim: rival, host: theirs }))
        .some((other) => areContested(own, other) && goesFirst(other, own)),
    )
    .sort((left, right) => (isBefore(rank(left), rank(right)) ? -1 : 1));
  return holder;
}

/** One host of a claim. */
export interface Wish {
  readonly claim: HostClaim;
  readonly host: string;
}

/** Whether a request that a gateway takes in could be for either. */
export function areContested(one: Wish, other: Wish): boolean {
  const { gateways, pathPrefix } = other.claim;
  if (!gateways.some((gateway) => one.claim.gateways.includes(gateway))) return false;
  return one.host === other.host
    ? nests(one.claim.pathPrefix, pathPrefix)
    : reaches(one.host, other.host) || reaches(other.host, one.host);
}

/**
 * Istio keeps no order between the VirtualServices of one host, so which of two
 * nested prefixes would answer is nobody's word.
 */
function nests(left: string, right: string): boolean {
  const [outer, inner] = left.length <= right.length ? [left, right] : [right, left];
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
}

/** Proxies look for routes under the most exact host alone: an exact one takes every path away from the wildcard. */
function reaches(wildcard: string, host: string): boolean {
  return wildcard.startsWith('*.') && host !== wildcard && host.endsWith(wildcard.slice(1));
}

/** Whoever serves already, so that no edit takes away what another one's users have (I3); then the older one. */
function goesFirst(one: Wish, other: Wish): boolean {
  const serves = one.claim.held.includes(one.host);
  if (serves !== other.claim.held.includes(other.host)) return serves;
  return isBefore(rank(one.claim), rank(other.claim));
}

function rank({ createdAt, namespace, name }: HostClaim): readonly string[] {
  return [createdAt, namespace, name];
}

function isBefore(left: readonly string[], right: readonly string[]): boolean {
  const at = left.findIndex((part, index) => part !== right[index]);
  return at !== -1 && (left[at] ?? '') < (right[at] ?? '');
}

/** Keys under which a claim is filed; two claims can only be contested when one is filed where the other looks. */
export function filedUnder({
  hosts,
  pathPrefix,
}: Pick<HostClaim, 'hosts' | 'pathPrefix'>): readonly string[] {
  return hosts.flatMap((host) => [
    `host ${host}`,
    ...domainsAbove(host).map((domain) => `hosts below ${domain}`),
    `path ${host}${pathPrefix}`,
    ...pathsAbove(pathPrefix).map((path) => `paths below ${host}${path}`),
  ]);
}

/** The other side: never more keys than labels and slashes, however many claims there are. */
export function looksUnder({
  hosts,
  pathPrefix,
}: Pick<HostClaim, 'hosts' | 'pathPrefix'>): readonly string[] {
  return hosts.flatMap((host) => [
    ...domainsAbove(host).map((domain) => `host *.${domain}`),
    ...(host.startsWith('*.') ? [`hosts below ${host.slice(2)}`] : []),
    `path ${host}${pathPrefix}`,
    ...pathsAbove(pathPrefix).map((path) => `path ${host}${path}`),
    `paths below ${host}${pathPrefix}`,
  ]);
}

/** `a.b.c` lies below `b.c` and `c`; the wildcard `*.b.c` only below `c`. */
function domainsAbove(host: string): readonly string[] {
  const labels = host.replace(/^[*][.]/, '').split('.');
  return labels.map((_, index) => labels.slice(index + 1).join('.')).slice(0, -1);
}

/** `/a/b` lies below `/a` and `/`. */
function pathsAbove(path: string): readonly string[] {
  if (path === '/') return [];
  const parts = path.split('/').slice(1, -1);
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}
