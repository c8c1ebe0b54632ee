import { durationMs } from '../api/duration.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import { LATENCY_METRIC } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from './child.ts';

export interface AutoscalerSettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** True around a shift of traffic: a giver must not shrink before the receiver has proven itself (I2, I7). */
  readonly holdScaleDown: boolean;
  /** Cpu only until the cluster serves the latency metric. */
  readonly metric: 'Latency' | 'Cpu';
}

export interface HorizontalPodAutoscaler extends KubernetesObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly Record<string, unknown>[];
    readonly behavior: {
      readonly scaleDown: {
        readonly selectPolicy: 'Max' | 'Disabled';
        readonly stabilizationWindowSeconds: number;
        readonly policies: readonly { type: 'Percent'; value: number; periodSeconds: number }[];
      };
    };
  };
}

const CPU_UTILIZATION_PERCENT = 80;

/** Four times the 30 s over which a pod measures its p95: a scale-down waits for several windows without a peak. */
const SCALE_DOWN_AFTER_SECONDS = 120;

export function buildAutoscaler(
  modelDeployment: ModelDeployment,
  revision: string,
  { minReplicas, maxReplicas, holdScaleDown, metric }: AutoscalerSettings,
): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMetadata(modelDeployment, { name: revision, revision }),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: revision },
      minReplicas,
      maxReplicas,
      metrics: [metric === 'Latency' ? latencyMetric(modelDeployment) : cpuMetric],
      behavior: {
        // Written out in both cases: what is left out keeps the value that it had before.
        scaleDown: {
          selectPolicy: holdScaleDown ? 'Disabled' : 'Max',
          stabilizationWindowSeconds: SCALE_DOWN_AFTER_SECONDS,
          policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
        },
      },
    },
  };
}

function latencyMetric({ spec }: ModelDeployment): Record<string, unknown> {
  return {
    type: 'Pods',
    pods: {
      metric: { name: LATENCY_METRIC },
      target: { type: 'AverageValue', averageValue: String(durationMs(spec.scaling.targetP95)) },
    },
  };
}

const cpuMetric: Record<string, unknown> = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: CPU_UTILIZATION_PERCENT } },
};
