import type { KubernetesObject } from '../api/object.ts';
import type { AutoscalerSettings } from '../resources/autoscaler.ts';
import { podsForShare } from './capacity.ts';
import type { Course } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';

/**
 * What a revision's autoscaler is told. The receiver's floor is raised before traffic comes, which works without any
 * metric; it comes down again only after the rollout and with the metric present, because an autoscaler without
 * metrics would follow a lowered floor at once (kubernetes#105187).
 */
export function autoscalerSettings(
  facts: Facts,
  course: Course,
  revision: RevisionFacts,
): AutoscalerSettings {
  const { minReplicas, maxReplicas } = facts.modelDeployment.spec.scaling;
  const live = revision.objects.get('HorizontalPodAutoscaler');
  const floor =
    revision === facts.stable ? minReplicas : podsForShare(facts, course.shares.get(revision.name) ?? 0);
  const keepsRaisedFloor = course.holdScaleDown || !followsItsMetric(live);
  const raised = keepsRaisedFloor ? liveFloor(live) : 0;
  return {
    minReplicas: Math.min(Math.max(floor, raised), maxReplicas),
    maxReplicas,
    // The stable, and one that is kept for the way back, at which nothing arrives meanwhile.
    holdScaleDown: course.holdScaleDown && revision !== facts.candidate,
    metric: facts.observed.platform.customMetrics ? 'Latency' : 'Cpu',
  };
}

interface LiveAutoscaler extends KubernetesObject {
  readonly spec?: { readonly minReplicas?: number };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function liveFloor(live: LiveAutoscaler | undefined): number {
  return live?.spec?.minReplicas ?? 0;
}

export function followsItsMetric(live: LiveAutoscaler | undefined): boolean {
  return (
    live?.status?.conditions?.some(({ type, status }) => type === 'ScalingActive' && status === 'True') ??
    false
  );
}
