import type { DecisionRecord } from './record.ts';

export interface CloudEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type EventKind = 'request' | 'response' | 'feedback';

const eventTypes: Readonly<Record<EventKind, string>> = {
  request: 'org.kubeflow.serving.inference.request',
  response: 'org.kubeflow.serving.inference.response',
  feedback: 'dev.headgate.inference.feedback',
};

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values */
function headerValue(value: string): string {
  const encode = (character: string): string =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    );
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, encode);
}

function headersOf({ facts }: DecisionRecord, kind: EventKind, namespace: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': headerValue(facts.requestId),
    'ce-type': eventTypes[kind],
    'ce-source': `/apis/headgate.dev/v1alpha1/namespaces/${namespace}/modeldeployments/${facts.modelName}`,
    'ce-time': facts.time,
    'ce-inferenceservicename': facts.modelName,
    'ce-namespace': namespace,
    'ce-component': 'predictor',
    'ce-endpoint': facts.revision,
  };
}

/** The protocol's own answer, with what else is known in its parameters, so that consumers of KServe's events read it. */
function responseBody({ facts, outputs }: DecisionRecord): string {
  const { requestId, modelName, modelVersion, ...parameters } = facts;
  const head = { model_name: modelName, model_version: modelVersion, id: requestId, parameters };
  return `${JSON.stringify(head).slice(0, -1)},"outputs":${outputs ?? '[]'}}`;
}

/** What KServe's logger sends of a request: its inputs, where they are recorded, then its answer, under one id. */
export function toCloudEvents(record: DecisionRecord, namespace: string): CloudEvent[] {
  const { facts, inputs } = record;
  if (facts.type === 'feedback') {
    return [{ headers: headersOf(record, 'feedback', namespace), body: JSON.stringify(facts) }];
  }
  const response = { headers: headersOf(record, 'response', namespace), body: responseBody(record) };
  if (inputs === undefined) return [response];
  const body = `{"id":${JSON.stringify(facts.requestId)},"inputs":${inputs}}`;
  return [{ headers: headersOf(record, 'request', namespace), body }, response];
}
