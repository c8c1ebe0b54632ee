import { entryServiceName, serviceHost } from '../api/names.ts';
import type { Course, Phase } from '../plan/course.ts';
import type { Facts } from '../plan/facts.ts';
import { leftovers } from '../plan/facts.ts';
import { followsItsMetric } from '../plan/autoscaling.ts';
import type { ConditionClaim } from './conditions.ts';

/**
 * What kstatus, Argo CD and `kubectl wait` read. Ready: the spec is realised. Available: users are served.
 * Reconciling: on the way there. Stalled: it will not get there by itself. After an abort users are served and the
 * spec is not realised: Ready False, Available True, Stalled True.
 */
export const standing: Readonly<Record<Phase, { ready: boolean; reconciling: boolean; stalled: boolean }>> = {
  Pending: { ready: false, reconciling: true, stalled: false },
  Progressing: { ready: false, reconciling: true, stalled: false },
  Paused: { ready: false, reconciling: true, stalled: false },
  Healthy: { ready: true, reconciling: false, stalled: false },
  Degraded: { ready: false, reconciling: false, stalled: true },
  Aborted: { ready: false, reconciling: false, stalled: true },
  Deleting: { ready: false, reconciling: true, stalled: false },
};

export function claimsOf(
  facts: Facts,
  { phase, reason, message, shares }: Course,
): readonly ConditionClaim[] {
  const { ready, reconciling, stalled } = standing[phase];
  const claim = (type: string, holds: boolean): ConditionClaim => ({
    type,
    status: holds ? 'True' : 'False',
    reason,
    message,
  });
  return [
    claim('Ready', ready),
    claim('Reconciling', reconciling),
    claim('Stalled', stalled),
    claim('Paused', phase === 'Paused'),
    available(facts),
    scalesOnLatency(facts),
    splitsTraffic(facts),
    ...retiring(facts, shares),
    ...refusedTraffic(facts),
  ];
}

function available({ stable }: Facts): ConditionClaim {
  if (stable === undefined) {
    return {
      type: 'Available',
      status: 'False',
      reason: 'NothingPromoted',
      message: 'No revision has become ready yet, so nobody is served',
    };
  }
  return stable.readyPods > 0
    ? {
        type: 'Available',
        status: 'True',
        reason: 'StableServes',
        message: `Users are served by the stable revision ${stable.name}`,
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'NoReadyPods',
        message: `No pod of the stable revision ${stable.name} is ready`,
      };
}

function scalesOnLatency({ stable, desired, observed }: Facts): ConditionClaim {
  const type = 'ScalesOnLatency';
  if (!observed.platform.customMetrics) {
    return {
      type,
      status: 'False',
      reason: 'MetricsApiMissing',
      message:
        'The cluster does not serve custom.metrics.k8s.io, so autoscalers follow CPU: install prometheus-adapter with the rule of the chart; this changes by itself then',
    };
  }
  return followsItsMetric((stable ?? desired).objects.get('HorizontalPodAutoscaler'))
    ? {
        type,
        status: 'True',
        reason: 'MetricPresent',
        message: 'Autoscalers follow the p95 latency that the runtimes report',
      }
    : {
        type,
        status: 'False',
        reason: 'MetricMissing',
        message:
          'The autoscaler finds no inference_latency_p95_ms yet: see the conditions of the HorizontalPodAutoscaler; until then nothing is scaled down',
      };
}

/** Says what cannot be had, and who has no part in what can. */
function splitsTraffic({ router, modelDeployment, candidate }: Facts): ConditionClaim {
  const type = 'SplitsTraffic';
  const { name, namespace } = modelDeployment.metadata;
  if (router.features.has('Split')) {
    return {
      type,
      status: 'True',
      reason: 'SplitByMesh',
      message: `Istio divides the traffic of gateways and sidecars; clients of Service ${entryServiceName(name)} without a sidecar always get the stable revision`,
    };
  }
  const preview =
    candidate === undefined
      ? ''
      : `; http://${serviceHost(candidate.name, namespace)} reaches the candidate alone`;
  return {
    type,
    status: 'False',
    reason: 'PlainService',
    message: `Service ${entryServiceName(name)} sends everything to one revision at a time: RollingUpdate, BlueGreen and Recreate work, a strategy that divides or copies traffic needs Istio${preview}`,
  };
}

/** Only while there is something to tell: a condition that is nearly always False is noise. */
function retiring(facts: Facts, kept: Course['shares']): readonly ConditionClaim[] {
  const names = leftovers(facts)
    .map(({ name }) => name)
    .filter((name) => !kept.has(name));
  if (names.length === 0) return [];
  return [
    {
      type: 'Retiring',
      status: 'True',
      reason: 'Draining',
      message: `Keeping ${names.join(', ')} until no proxy names it and no request arrives there`,
    },
  ];
}

/** Each kind of refusal is a condition of its own, and told while it lasts, in whatever phase. */
function refusedTraffic({ observed }: Facts): readonly ConditionClaim[] {
  const reasons = [...new Set(observed.refusedTraffic.map(({ reason }) => reason))];
  return reasons.map((reason) => ({
    ...{ type: reason, status: 'True', reason },
    message: observed.refusedTraffic
      .filter((refusal) => refusal.reason === reason)
      .map(({ message }) => message)
      .join('. '),
  }));
}
