import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWrites, isSignOfLife, readAudit, readWrites, type AuditedRequest } from '../../bed/audit.ts';
import type { Load } from '../../bed/load.ts';
import { startInferLoad } from '../support/infer-load.ts';
import { modelDeployment } from '../support/model-deployment.ts';
import { useNamespace } from '../support/namespace.ts';
import { operator, useStack } from '../support/stack.ts';
import { waitForPhase, waitForStatus, type ObjectName } from '../support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'rest');
const converged = { namespace, name: 'converged' };
const aborted = { namespace, name: 'aborted' };
const restMs = 60_000;

let loads: Load[];

export function restStory(): void {
  describe.concurrent('an operator with nothing to do', () => {
    beforeAll(async () => {
      await Promise.all([apply(converged, 'v1.onnx'), apply(aborted, 'v1.onnx')]);
      await Promise.all([
        waitForPhase(stack.bed, converged, 'Healthy'),
        waitForPhase(stack.bed, aborted, 'Healthy').then(() => apply(aborted, 'not-there.onnx')),
      ]);
      loads = await Promise.all(
        [converged, aborted].map(({ name }) => startInferLoad(stack.bed, { name, requestsPerSecond: 20 })),
      );
      await waitForPhase(stack.bed, aborted, 'Aborted');
      await Promise.all([converged, aborted].map(waitUntilNothingIsLeftToDo));
    });

    afterAll(async () => {
      await Promise.all(loads.map((load) => load.stop()));
    });

    it('writes nothing for 60 s, with one ModelDeployment converged and one aborted, both in use', async () => {
      const fromMs = Date.now();
      await pause(restMs);
      const range = { user: operator.user, fromMs, toMs: fromMs + restMs };
      const isOurs = (write: AuditedRequest): boolean =>
        [namespace, operator.namespace, ''].includes(write.namespace) && !isSignOfLife(write);
      const writes = await readWrites(stack.bed.auditLog, range);
      expect(describeWrites(writes.filter(isOurs))).toEqual([]);

      // The ruler itself: the API server has recorded its requests in that time, and these two were looked after before.
      expect(await readAudit(stack.bed.auditLog, { fromMs, toMs: fromMs + restMs })).not.toEqual([]);
      const before = await readWrites(stack.bed.auditLog, { user: operator.user, namespace, toMs: fromMs });
      expect(before.map(({ name }) => name)).toEqual(expect.arrayContaining([converged.name, aborted.name]));
      const served = await Promise.all(loads.map((load) => load.snapshot({ fromMs })));
      for (const { requests, failed } of served) {
        expect(requests).toBeGreaterThan(1_000);
        expect(failed).toBe(0);
      }
    });
  });
}

async function apply(name: ObjectName, model: string): Promise<void> {
  await stack.bed.kubectl.apply([modelDeployment({ ...name, modelUri: stack.modelUri(model) })]);
}

/** The autoscaler has found its metric, and nothing of an earlier revision is left. */
async function waitUntilNothingIsLeftToDo(name: ObjectName): Promise<void> {
  await waitForStatus(stack.bed, name, {
    what: 'has nothing left to do',
    is: ({ conditions = [], revisions = [] }) =>
      conditions.some(({ type, status }) => type === 'ScalesOnLatency' && status === 'True') &&
      !conditions.some(({ type }) => type === 'Retiring') &&
      revisions.length === 1,
    timeoutMs: 120_000,
  });
}
