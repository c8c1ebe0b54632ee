import type { BoundStrategy, Position } from '../strategies/strategy.ts';
import { featuresOf, type Feature } from '../traffic/feature.ts';
import type { Facts } from './facts.ts';

interface Lack {
  readonly needs: string;
  readonly instead: string;
}

const otherStrategies = 'choose RollingUpdate, BlueGreen or Recreate';

const lacks: Readonly<Record<Feature, Lack>> = {
  Split: { needs: 'divides the traffic by weight', instead: otherStrategies },
  Mirrors: { needs: 'copies requests', instead: otherStrategies },
  Previews: {
    needs: 'tells requests apart',
    instead: 'leave the preview out, since every revision has a Service of its own',
  },
};

/** What the strategy asks of the router at this step or any later one, and this router cannot do. */
export function missingFeatures(
  { router }: Facts,
  { stepCount, demand }: BoundStrategy,
  position: Position,
): readonly Feature[] {
  const routings = Array.from(
    { length: stepCount + 1 - position.stepIndex },
    (_, later) => demand({ ...position, stepIndex: position.stepIndex + later }).routing,
  );
  const asked = new Set(routings.flatMap(featuresOf));
  return [...asked].filter((feature) => !router.features.has(feature));
}

/** One sentence with what would help. */
export function explainMissing({ modelDeployment, observed }: Facts, missing: readonly Feature[]): string {
  const { strategy } = modelDeployment.spec.rollout;
  const needs = missing.map((feature) => lacks[feature].needs).join(' and ');
  const [instead] = missing.map((feature) => lacks[feature].instead);
  const remedy = observed.platform.istio
    ? 'set spec.traffic.router to Automatic'
    : 'install Istio, since this cluster serves no networking.istio.io/v1,';
  return `${strategy} needs a mesh that ${needs}, which a plain Service cannot: ${remedy} or ${instead ?? otherStrategies}; this goes on by itself then`;
}

/** Gateways are Istio's: without it nobody carries their traffic to any revision. */
export function lacksGateways({ modelDeployment, router }: Facts): boolean {
  return router.carrier === 'EntryService' && modelDeployment.spec.traffic.gateways !== undefined;
}

export const istioMissing =
  'The cluster does not serve networking.istio.io/v1, so nothing arrives through spec.traffic.gateways: install Istio, or remove the gateways; this goes on by itself then';
