import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../operator/config.ts';

const HEADGATE_RUNTIME_IMAGE = 'example.com/headgate-runtime:1';
const needed = { HEADGATE_RUNTIME_IMAGE, HEADGATE_LEASE: 'headgate-system/headgate' };

describe('the configuration of the operator', () => {
  it('needs nothing but the runtime image and the Lease', () => {
    expect(readConfig(needed)).toEqual({
      ...{ runtimeImage: HEADGATE_RUNTIME_IMAGE, logLevel: 'info', healthPort: 8081, concurrency: 8 },
      trafficPolicy: [],
      ...{ lease: { namespace: 'headgate-system', name: 'headgate' }, leaseSeconds: 15, podName: hostname() },
    });
  });

  it('takes what is set', () => {
    const trafficPolicy = [{ namespaces: ['ml'], gateways: ['istio-system/*'], hosts: ['*.example.com'] }];
    const environment = {
      ...{ ...needed, HEADGATE_WATCH_NAMESPACE: 'ml', HEADGATE_LOG_LEVEL: 'debug' },
      ...{ HEADGATE_HEALTH_PORT: '9000', HEADGATE_CONCURRENCY: '2' },
      HEADGATE_GATEWAY_NAMESPACES: 'istio-system,edge',
      HEADGATE_TRAFFIC_POLICY: JSON.stringify(trafficPolicy),
      ...{ HEADGATE_LEASE_SECONDS: '5', HEADGATE_POD_NAME: 'headgate-7' },
    };
    expect(readConfig(environment)).toEqual({
      ...{ runtimeImage: HEADGATE_RUNTIME_IMAGE, watchNamespace: 'ml', logLevel: 'debug' },
      ...{ healthPort: 9000, concurrency: 2, trafficPolicy, gatewayNamespaces: ['istio-system', 'edge'] },
      ...{
        lease: { namespace: 'headgate-system', name: 'headgate' },
        leaseSeconds: 5,
        podName: 'headgate-7',
      },
    });
  });

  it('takes what the platform says of sources of models', () => {
    const allow = '10.0.0.0/8, *.corp.example.com';
    expect(
      readConfig({
        ...needed,
        HEADGATE_MODEL_SOURCES_ALLOW: allow,
        HEADGATE_IMAGE_VOLUMES: 'true',
      }).modelSources,
    ).toEqual({ allow: ['10.0.0.0/8', '*.corp.example.com'], imageVolumes: true });
  });

  it('takes what is set to nothing for not set', () => {
    expect(readConfig({ ...needed, HEADGATE_WATCH_NAMESPACE: ' ', HEADGATE_LOG_LEVEL: '' })).toEqual(
      readConfig(needed),
    );
  });

  it('looks for gateways beside the models when it knows of no other place', () => {
    expect(readConfig({ ...needed, HEADGATE_WATCH_NAMESPACE: 'ml' })).toMatchObject({
      gatewayNamespaces: [],
    });
  });

  it.each<[Readonly<Record<string, string>>, string]>([
    [
      { ...needed, HEADGATE_GATEWAY_NAMESPACES: 'istio-system' },
      'HEADGATE_GATEWAY_NAMESPACES is set without HEADGATE_WATCH_NAMESPACE',
    ],
    [{}, 'HEADGATE_RUNTIME_IMAGE must be set'],
    [{ HEADGATE_RUNTIME_IMAGE }, 'HEADGATE_LEASE must be set'],
    [{ ...needed, HEADGATE_LEASE: 'headgate' }, 'HEADGATE_LEASE is headgate; it must be NAMESPACE/NAME'],
    [{ HEADGATE_RUNTIME_IMAGE: ' ' }, 'HEADGATE_RUNTIME_IMAGE must be set'],
    [
      { ...needed, HEADGATE_LOG_LEVEL: 'loud' },
      'HEADGATE_LOG_LEVEL is loud; it must be one of error, warn, info, debug',
    ],
    [
      { ...needed, HEADGATE_CONCURRENCY: '0' },
      'HEADGATE_CONCURRENCY is 0; it must be a whole number from 1 to 64',
    ],
    [{ ...needed, HEADGATE_CONCURRENCY: '1.5' }, 'HEADGATE_CONCURRENCY is 1.5; it must be a whole number'],
    [{ ...needed, HEADGATE_HEALTH_PORT: 'http' }, 'HEADGATE_HEALTH_PORT is http; it must be a whole number'],
    [
      { ...needed, HEADGATE_TRAFFIC_POLICY: 'all' },
      'HEADGATE_TRAFFIC_POLICY must be a JSON list of {namespaces, gateways, hosts}, each a list of patterns: must be array',
    ],
    [
      { ...needed, HEADGATE_TRAFFIC_POLICY: '[{"namespaces":["*"],"gateways":["*"]}]' },
      "/0 must have required property 'hosts'",
    ],
    [
      {
        ...needed,
        HEADGATE_TRAFFIC_POLICY: '[{"namespaces":["*"],"gateways":["*"],"hosts":["*"],"paths":[]}]',
      },
      '/0 must NOT have additional properties: paths',
    ],
  ])('refuses %j with a sentence', (environment, sentence) => {
    expect(() => readConfig(environment)).toThrow(sentence);
  });
});
