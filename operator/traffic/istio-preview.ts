import type { PreviewMatch, Routing } from './routing.ts';

/** What a request has to have, beside its path, to take a route. */
export interface Condition {
  readonly headers?: Readonly<Record<string, { readonly exact: string } | { readonly prefix: string }>>;
  readonly authority?: { readonly regex: string };
}

/** Clients name the port beside the host unless it is the scheme's own, and write the host as they like. */
const HOST_PATTERN = /^\(\?i\)(.+)\(:\[0-9\]\+\)\?$/;

export function conditionOf(match: PreviewMatch): Condition {
  return 'host' in match
    ? { authority: { regex: `(?i)${match.host.replaceAll('.', '[.]')}(:[0-9]+)?` } }
    : { headers: { [match.header.name]: { exact: match.header.value } } };
}

/** The inverse of `conditionOf`; undefined for what it has not made. */
export function matchOf({ headers, authority }: Condition): PreviewMatch | undefined {
  const host = HOST_PATTERN.exec(authority?.regex ?? '')?.[1];
  if (host !== undefined) return { host: host.replaceAll('[.]', '.') };
  const [[name, value] = []] = Object.entries(headers ?? {});
  if (name === undefined || value === undefined || !('exact' in value)) return undefined;
  return { header: { name, value: value.exact } };
}

export function previewHosts({ previews = [] }: Routing): readonly string[] {
  return previews.flatMap(({ match }) => ('host' in match ? [match.host] : []));
}

/** Neighbours in the mesh name the Service, never a host of the gateways. */
export function withoutPreviewHosts(routing: Routing): Routing {
  const { previews = [] } = routing;
  return { ...routing, previews: previews.filter(({ match }) => !('host' in match)) };
}
