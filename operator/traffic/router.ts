import type { ModelDeployment } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { Feature } from './feature.ts';
import type { Routing } from './routing.ts';

/** A routing in a proxy's language. */
export interface RenderedRouting {
  /** Complete objects, to be applied as they are. */
  readonly objects: readonly KubernetesObject[];
  /** Stands for the whole content of these objects: what a proxy answers once it uses them. */
  readonly hash: string;
}

/**
 * Turns Routing values into objects and reads them back. A router decides nothing; `children` are the live objects of
 * one ModelDeployment, of any kind.
 */
export interface Router {
  /**
   * Who carries a routing out: proxies, which can be asked what they hold and say it with every request, or the entry
   * Service, of which only its EndpointSlices tell. It decides what counts as proof and as drained.
   */
  readonly carrier: 'Proxies' | 'EntryService';

  /** What a routing may ask of it; anything else is never rendered in part, so it must not be asked for. */
  readonly features: ReadonlySet<Feature>;

  /** Pre: weights sum to FULL_WEIGHT (I4), and `features` has all that the routing asks for. */
  render(modelDeployment: ModelDeployment, routing: Routing): RenderedRouting;

  /** How proxies are to speak to one revision, wherever it stands in a routing. */
  policiesFor(modelDeployment: ModelDeployment, revision: string): readonly KubernetesObject[];

  /**
   * What proxies are asked for at present. Objects that disagree, since a crash came between two writes, are read so
   * that every revision any of them names is referenced. Undefined when nothing has been asked for.
   */
  readRouting(children: readonly KubernetesObject[], modelDeployment: ModelDeployment): Routing | undefined;

  /**
   * The hash of what the live objects hold: that of `render` if they are just as rendered, and one that no proxy will
   * ever answer if somebody has changed them or only some were written. Undefined when there are none.
   */
  liveHash(children: readonly KubernetesObject[], modelDeployment: ModelDeployment): string | undefined;

  /** Live routes of earlier renderings that the present spec has no place for. */
  obsolete(
    children: readonly KubernetesObject[],
    modelDeployment: ModelDeployment,
  ): readonly KubernetesObject[];

  /** Live policies that the present spec has no place for, once none of those routes is left; proxies may still hold some. */
  obsoletePolicies(
    children: readonly KubernetesObject[],
    modelDeployment: ModelDeployment,
  ): readonly KubernetesObject[];
}
