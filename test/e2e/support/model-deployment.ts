import { API_VERSION, KIND } from '../../../operator/api/names.ts';
import type { CanaryStep } from '../../../operator/api/spec-rollout.ts';

/** What a test says about a ModelDeployment; all else keeps the default that a user would get. */
export interface ModelDeploymentOptions {
  readonly namespace: string;
  readonly name: string;
  readonly modelUri: string;
  readonly sha256?: string;
  /** What else is said of the model. */
  readonly model?: object;
  readonly hosts?: readonly string[];
  readonly pathPrefix?: string;
  readonly gateways?: readonly string[];
  readonly timeout?: string;
  /** Another way in than both public gateways, instead of all that is said above. */
  readonly traffic?: object;
  readonly steps?: readonly CanaryStep[];
  /** Another way than the default canary, without `steps`. */
  readonly rollout?: object;
  readonly abortOn?: { readonly errorRatePercent?: number; readonly progressDeadline?: string };
  readonly scaling?: {
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly targetP95?: string;
  };
  readonly resources?: object;
  readonly runtime?: object;
  readonly podTemplate?: object;
}

export const publicGateway = 'istio-system/public';

/** A manifest as a user would apply it. */
export function modelDeployment(options: ModelDeploymentOptions): object {
  const { namespace, name, modelUri, sha256, model, hosts = [hostOf(name)] } = options;
  const { pathPrefix, timeout, traffic, steps, rollout, abortOn, scaling, resources, runtime, podTemplate } =
    options;
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { namespace, name },
    spec: {
      model: { uri: modelUri, ...given({ sha256 }), ...model },
      // Small enough that all revisions of all tests fit on one small machine.
      resources: resources ?? { requests: { cpu: '50m', memory: '96Mi' } },
      scaling: scaling ?? { minReplicas: 1, maxReplicas: 3, targetP95: '500ms' },
      traffic: traffic ?? {
        hosts,
        gateways: options.gateways ?? [publicGateway],
        ...given({ pathPrefix, timeout }),
      },
      rollout: { ...rollout, ...given({ canary: steps && { steps }, abortOn }) },
      ...given({ runtime, podTemplate }),
    },
  };
}

export function hostOf(name: string): string {
  return `${name}.example.com`;
}

/** A pause after each weight but the last. */
export function canarySteps(weights: readonly number[], pauseFor: string): CanaryStep[] {
  return weights.flatMap((weight, index) =>
    index === weights.length - 1 ? [{ weight }] : [{ weight }, { pause: { for: pauseFor } }],
  );
}

function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
