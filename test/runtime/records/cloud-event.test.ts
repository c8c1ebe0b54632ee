import { describe, expect, it } from 'vitest';
import { toCloudEvents } from '../../../runtime/records/cloud-event.ts';
import type { DecisionRecord } from '../../../runtime/records/record.ts';

const record = {
  facts: {
    type: 'decision',
    time: '2026-01-02T03:04:05.006Z',
    requestId: 'a "b" 5%',
    modelName: 'tumour',
    modelVersion: '1',
    modelDigest: null,
    revision: 'tumour-1',
    protocol: 'rest',
    origin: 'User',
    latencyMs: 1,
    status: 200,
  },
  inputs: '[{"name":"X"}]',
  outputs: '[{"name":"label"}]',
} satisfies DecisionRecord;

describe('a record as CloudEvents', () => {
  it("has the types and extensions of KServe's logger, a request and a response under one id", () => {
    const events = toCloudEvents(record, 'ml');
    expect(events.map(({ headers }) => headers['ce-type'])).toEqual([
      'org.kubeflow.serving.inference.request',
      'org.kubeflow.serving.inference.response',
    ]);
    expect(events[1]?.headers).toEqual({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'a%20%22b%22%205%25',
      'ce-type': 'org.kubeflow.serving.inference.response',
      'ce-source': '/apis/headgate.dev/v1alpha1/namespaces/ml/modeldeployments/tumour',
      'ce-time': '2026-01-02T03:04:05.006Z',
      'ce-inferenceservicename': 'tumour',
      'ce-namespace': 'ml',
      'ce-component': 'predictor',
      'ce-endpoint': 'tumour-1',
    });
  });

  it("has the protocol's own request and answer as data, and what else is known as parameters", () => {
    const [request, response] = toCloudEvents(record, 'ml').map(({ body }) => JSON.parse(body) as unknown);
    expect(request).toEqual({ id: 'a "b" 5%', inputs: [{ name: 'X' }] });
    expect(response).toMatchObject({
      model_name: 'tumour',
      model_version: '1',
      id: 'a "b" 5%',
      parameters: { revision: 'tumour-1', status: 200, latencyMs: 1 },
      outputs: [{ name: 'label' }],
    });
  });

  it('is one event where the inputs are not recorded', () => {
    expect(toCloudEvents({ ...record, inputs: undefined }, 'ml')).toHaveLength(1);
  });
});
