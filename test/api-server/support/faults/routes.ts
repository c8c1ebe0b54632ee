import { labels } from '../../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../../operator/api/object.ts';
import type { Route } from '../../../support/fault-campaign/outcome.ts';

interface HttpRoute {
  readonly name?: string;
  readonly route?: readonly { readonly destination: Host; readonly weight?: number }[];
  readonly mirrors?: readonly {
    readonly destination: Host;
    readonly percentage?: { readonly value: number };
  }[];
}

interface Host {
  readonly host: string;
}

interface Routing extends KubernetesObject {
  readonly spec: {
    readonly http?: readonly HttpRoute[];
    readonly selector?: Readonly<Record<string, string>>;
  };
}

/** Where an object sends users, in one line; undefined for an object that sends nobody anywhere. */
export function routesOf(object: KubernetesObject, alias: (name: string) => string): Route | undefined {
  const { metadata, spec } = object as Routing;
  const shortName = ({ host }: Host): string => alias(host.split('.')[0] ?? '');
  if (object.kind === 'VirtualService') {
    const lines = (spec.http ?? []).flatMap(({ name = '', route = [], mirrors = [] }) => [
      ...route.map(({ destination, weight = 100 }) => `${name} ${shortName(destination)} ${weight}`),
      ...mirrors.map(
        ({ destination, percentage }) => `copies ${shortName(destination)} ${percentage?.value}`,
      ),
    ]);
    return { object: `VirtualService ${metadata.name}`, to: lines.join(', ') };
  }
  // The Service of a revision stays with it.
  if (object.kind !== 'Service' || metadata.labels?.[labels.revision] !== undefined) return undefined;
  return { object: `Service ${metadata.name}`, to: alias(spec.selector?.[labels.revision] ?? 'nobody') };
}
