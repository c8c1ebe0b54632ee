import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../operator/telemetry/metrics.ts';

async function ownLines(
  metrics = createMetrics({
    ...{ isLeading: () => true, queueDepth: () => 3 },
    phases: () => ['Healthy', 'Healthy', 'Paused'],
  }),
): Promise<readonly string[]> {
  metrics.reconcileSeconds.observe({ outcome: 'done' }, 0.002);
  metrics.apiRequests.inc({ verb: 'patch', code: '200' });
  metrics.watchRestarts.inc({ kind: 'Pod' });
  metrics.rollouts.inc({ outcome: 'Aborted', reason: 'CrashLoop' });
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('headgate_'));
}

describe('the metrics of the operator', () => {
  it('bear these names and labels, which dashboards are built on', async () => {
    await expect(ownLines()).resolves.toEqual(
      expect.arrayContaining([
        'headgate_leader 1',
        'headgate_queue_depth 3',
        'headgate_model_deployments{phase="Healthy"} 2',
        'headgate_model_deployments{phase="Paused"} 1',
        'headgate_reconcile_duration_seconds_bucket{le="0.005",outcome="done"} 1',
        'headgate_reconcile_duration_seconds_count{outcome="done"} 1',
        'headgate_api_requests_total{verb="patch",code="200"} 1',
        'headgate_watch_restarts_total{kind="Pod"} 1',
        'headgate_rollouts_total{outcome="Aborted",reason="CrashLoop"} 1',
      ]),
    );
  });

  it('forget a phase that no ModelDeployment is in any more', async () => {
    let phases = ['Pending'];
    const metrics = createMetrics({ isLeading: () => true, queueDepth: () => 0, phases: () => phases });
    await ownLines(metrics);
    phases = ['Healthy'];
    const lines = await ownLines(metrics);
    expect(lines.filter((line) => line.startsWith('headgate_model_deployments'))).toEqual([
      'headgate_model_deployments{phase="Healthy"} 1',
    ]);
  });

  it('tell of the process too', async () => {
    const { registry } = createMetrics({ isLeading: () => false, queueDepth: () => 0, phases: () => [] });
    await expect(registry.metrics()).resolves.toContain('process_resident_memory_bytes ');
  });

  it('tell the delay of the event loop when asked, without a timer that would tell its own period', async () => {
    const { registry } = createMetrics({ isLeading: () => false, queueDepth: () => 0, phases: () => [] });
    const names = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('nodejs_eventloop'))).toEqual([
      'nodejs_eventloop_lag_seconds',
    ]);
  });
});
