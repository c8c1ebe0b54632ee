import { describe, expect, test } from 'vitest';
import { labelsOf, MANAGEMENT_PORT, GRPC_PORT, RUNTIME_PORT } from '../../operator/api/names.ts';
import { isAllowed, type Connection, type NetworkPolicy, type Pod } from '../support/network-policy.ts';
import type { Deployment, Pod as ManifestPod } from './kinds.ts';
import { only, template } from './render.ts';

const HEALTH_PORT = 8081;
const scrapers = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };

const objects = await template(
  ...['--set', 'networkPolicy.restrictEgress=true,networkPolicy.modelNamespaces={ml}'],
  ...['--set-json', `networkPolicy.scrapeFrom=${JSON.stringify([scrapers])}`],
);
const policies = objects.filter((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');
const open = (await template()).filter((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');

const labels = only<Deployment>(objects, 'Deployment').spec.template.metadata.labels;
const operator: Pod = { namespace: 'headgate-system', labels };
const helmTest: Pod = {
  namespace: 'headgate-system',
  labels: only<ManifestPod>(objects, 'Pod').metadata.labels ?? {},
};
const model: Pod = { namespace: 'ml', labels: labelsOf('fraud', 'fraud-cw6nlbzz95') };
const gateway: Pod = { namespace: 'istio-ingress', labels: { istio: 'public' } };
const prometheus: Pod = { namespace: 'monitoring', labels: { app: 'prometheus' } };
const stranger: Pod = { namespace: 'shop', labels: { app: 'cart' } };

/** What the policies mean; no network of the test bed enforces them. */
describe('the network policies', () => {
  test.each<[string, Connection]>([
    ['a gateway to a model', { from: gateway, to: model, port: RUNTIME_PORT }],
    ['a client to a model', { from: stranger, to: model, port: RUNTIME_PORT }],
    ['a client to a model over gRPC', { from: stranger, to: model, port: GRPC_PORT }],
    ['the operator to a model’s report', { from: operator, to: model, port: MANAGEMENT_PORT }],
    ['Prometheus to a model’s metrics', { from: prometheus, to: model, port: MANAGEMENT_PORT }],
    ['a model to where it is loaded from', { from: model, port: 443 }],
    ['the operator to a gateway', { from: operator, to: gateway, port: 8080 }],
    ['the operator to the API server', { from: operator, port: 6443 }],
    ['the operator to the cluster’s names', { from: operator, port: 53, protocol: 'UDP' }],
    ['Prometheus to the operator', { from: prometheus, to: operator, port: HEALTH_PORT }],
    ['the kubelet to the operator', { to: operator, port: HEALTH_PORT }],
    ['helm’s test to the operator', { from: helmTest, to: operator, port: HEALTH_PORT }],
    ['helm’s test to the API server', { from: helmTest, port: 443 }],
  ])('let %s', (_, connection) => {
    expect(isAllowed(policies, connection)).toBe(true);
  });

  test.each<[string, Connection]>([
    ['a client to a model’s management', { from: stranger, to: model, port: MANAGEMENT_PORT }],
    ['one model to another’s management', { from: model, to: model, port: MANAGEMENT_PORT }],
    ['a client to another port of a model', { from: stranger, to: model, port: 9229 }],
    ['a client to another port of the operator', { from: stranger, to: operator, port: 9229 }],
    ['the operator to anywhere', { from: operator, port: 25 }],
    ['anybody to helm’s test', { from: stranger, to: helmTest, port: 80 }],
  ])('do not let %s', (_, connection) => {
    expect(isAllowed(policies, connection)).toBe(false);
  });

  test('leave the operator’s way out open unless told otherwise, and models alone', () => {
    expect(isAllowed(open, { from: operator, port: 25 })).toBe(true);
    expect(isAllowed(open, { from: stranger, to: operator, port: 9229 })).toBe(false);
    expect(isAllowed(open, { from: stranger, to: model, port: MANAGEMENT_PORT })).toBe(true);
  });

  test('are none where they are not wanted', async () => {
    const without = await template('--set', 'networkPolicy.create=false');
    expect(without.map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });
});
