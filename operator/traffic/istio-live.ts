import { headers } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { matchOf, type Condition } from './istio-preview.ts';
import { MIRROR_UNIT, PREVIEW_ROUTE, USER_ROUTE } from './istio-routes.ts';
import { hasPreview, revisionsIn, type Preview, type Routing } from './routing.ts';

/** A VirtualService as it is found: Istio lets a hand edit leave out or add nearly everything. */
export interface LiveVirtualService extends KubernetesObject {
  readonly spec?: { readonly http?: readonly LiveRoute[] };
}

interface LiveRoute {
  readonly name?: string;
  readonly match?: readonly Condition[];
  readonly route?: readonly LiveDestination[];
  readonly mirrors?: readonly LiveMirror[];
  readonly headers?: { readonly request?: { readonly set?: Readonly<Record<string, string>> } };
}

interface LiveDestination {
  readonly destination?: LiveHost;
  readonly weight?: number;
}

interface LiveMirror {
  readonly destination?: LiveHost;
  readonly percentage?: { readonly value?: number };
}

interface LiveHost {
  readonly host?: string;
}

export function isVirtualService(object: KubernetesObject): object is LiveVirtualService {
  return object.kind === 'VirtualService' && object.apiVersion.startsWith('networking.istio.io/');
}

/** What one VirtualService asks for. */
export function routingOf(virtualService: LiveVirtualService): Routing {
  const { route = [], mirrors = [] } = userRoute(virtualService) ?? {};
  return {
    destinations: route.map(({ destination, weight = 0 }) => ({ revision: revisionAt(destination), weight })),
    mirrors: mirrors.map(({ destination, percentage }) => ({
      revision: revisionAt(destination),
      // Istio copies everything where no percentage is given.
      weight: Math.round((percentage === undefined ? 100 : (percentage.value ?? 0)) * MIRROR_UNIT),
    })),
    previews: (virtualService.spec?.http ?? []).flatMap(previewAt),
  };
}

/** The shares of the first, the previews of all, and with weight 0 every revision that only the others name. */
export function merged(first: Routing, others: readonly Routing[]): Routing {
  const known = revisionsIn(first);
  const named = new Set(others.flatMap((other) => [...revisionsIn(other)]));
  const missing = [...named].filter((revision) => !known.has(revision));
  return {
    ...first,
    destinations: [...first.destinations, ...missing.map((revision) => ({ revision, weight: 0 }))],
    previews: others.flatMap(({ previews = [] }) => previews).reduce(withPreview, first.previews ?? []),
  };
}

function withPreview(known: readonly Preview[], preview: Preview): readonly Preview[] {
  return hasPreview({ destinations: [], previews: known }, preview) ? known : [...known, preview];
}

export function embeddedHash(virtualService: LiveVirtualService): string | undefined {
  return userRoute(virtualService)?.headers?.request?.set?.[headers.routing];
}

function userRoute({ spec }: LiveVirtualService): LiveRoute | undefined {
  return spec?.http?.find(({ name }) => name === USER_ROUTE);
}

function previewAt({ name, match, route }: LiveRoute): readonly Preview[] {
  const asked = matchOf(match?.[0] ?? {});
  if (name !== PREVIEW_ROUTE || asked === undefined) return [];
  return (route ?? []).map(({ destination }) => ({ revision: revisionAt(destination), match: asked }));
}

function revisionAt(destination: LiveHost | undefined): string {
  return (destination?.host ?? '').split('.', 1).join();
}
