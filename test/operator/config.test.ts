import { describe, expect, it } from 'vitest';
import { readConfig } from '../../operator/config.ts';

const HEADGATE_RUNTIME_IMAGE = 'example.com/headgate-runtime:1';

describe('the configuration of the operator', () => {
  it('needs nothing but the runtime image', () => {
    expect(readConfig({ HEADGATE_RUNTIME_IMAGE })).toEqual({
      ...{ runtimeImage: HEADGATE_RUNTIME_IMAGE, logLevel: 'info', healthPort: 8081, concurrency: 8 },
      trafficPolicy: [],
    });
  });

  it('takes what is set', () => {
    const trafficPolicy = [{ namespaces: ['ml'], gateways: ['istio-system/*'], hosts: ['*.example.com'] }];
    const environment = {
      ...{ HEADGATE_RUNTIME_IMAGE, HEADGATE_WATCH_NAMESPACE: 'ml', HEADGATE_LOG_LEVEL: 'debug' },
      ...{ HEADGATE_HEALTH_PORT: '9000', HEADGATE_CONCURRENCY: '2' },
      HEADGATE_GATEWAY_NAMESPACES: 'istio-system,edge',
      HEADGATE_TRAFFIC_POLICY: JSON.stringify(trafficPolicy),
    };
    expect(readConfig(environment)).toEqual({
      ...{ runtimeImage: HEADGATE_RUNTIME_IMAGE, watchNamespace: 'ml', logLevel: 'debug' },
      ...{ healthPort: 9000, concurrency: 2, trafficPolicy, gatewayNamespaces: ['istio-system', 'edge'] },
    });
  });

  it('takes what the platform says of sources of models', () => {
    const allow = '10.0.0.0/8, *.corp.example.com';
    expect(
      readConfig({
        HEADGATE_RUNTIME_IMAGE,
        HEADGATE_MODEL_SOURCES_ALLOW: allow,
        HEADGATE_IMAGE_VOLUMES: 'true',
      }).modelSources,
    ).toEqual({ allow: ['10.0.0.0/8', '*.corp.example.com'], imageVolumes: true });
  });

  it('takes what is set to nothing for not set', () => {
    expect(
      readConfig({ HEADGATE_RUNTIME_IMAGE, HEADGATE_WATCH_NAMESPACE: ' ', HEADGATE_LOG_LEVEL: '' }),
    ).toEqual(readConfig({ HEADGATE_RUNTIME_IMAGE }));
  });

  it('looks for gateways beside the models when it knows of no other place', () => {
    expect(readConfig({ HEADGATE_RUNTIME_IMAGE, HEADGATE_WATCH_NAMESPACE: 'ml' })).toMatchObject({
      gatewayNamespaces: [],
    });
  });

  it.each<[Readonly<Record<string, string>>, string]>([
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_GATEWAY_NAMESPACES: 'istio-system' },
      'HEADGATE_GATEWAY_NAMESPACES is set without HEADGATE_WATCH_NAMESPACE',
    ],
    [{}, 'HEADGATE_RUNTIME_IMAGE must be set'],
    [{ HEADGATE_RUNTIME_IMAGE: ' ' }, 'HEADGATE_RUNTIME_IMAGE must be set'],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_LOG_LEVEL: 'loud' },
      'HEADGATE_LOG_LEVEL is loud; it must be one of error, warn, info, debug',
    ],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_CONCURRENCY: '0' },
      'HEADGATE_CONCURRENCY is 0; it must be a whole number from 1 to 64',
    ],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_CONCURRENCY: '1.5' },
      'HEADGATE_CONCURRENCY is 1.5; it must be a whole number',
    ],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_HEALTH_PORT: 'http' },
      'HEADGATE_HEALTH_PORT is http; it must be a whole number',
    ],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_TRAFFIC_POLICY: 'all' },
      'HEADGATE_TRAFFIC_POLICY must be a JSON list of {namespaces, gateways, hosts}, each a list of patterns: must be array',
    ],
    [
      { HEADGATE_RUNTIME_IMAGE, HEADGATE_TRAFFIC_POLICY: '[{"namespaces":["*"],"gateways":["*"]}]' },
      "/0 must have required property 'hosts'",
    ],
    [
      {
        HEADGATE_RUNTIME_IMAGE,
        HEADGATE_TRAFFIC_POLICY: '[{"namespaces":["*"],"gateways":["*"],"hosts":["*"],"paths":[]}]',
      },
      '/0 must NOT have additional properties: paths',
    ],
  ])('refuses %j with a sentence', (environment, sentence) => {
    expect(() => readConfig(environment)).toThrow(sentence);
  });
});
