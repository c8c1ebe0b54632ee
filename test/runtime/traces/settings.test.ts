import { describe, expect, it } from 'vitest';
import { Settings } from '../../../runtime/config/settings.ts';
import { readTraceSettings, type TraceSettings } from '../../../runtime/traces/settings.ts';

function read(environment: Record<string, string>): TraceSettings | undefined {
  return readTraceSettings(new Settings({ HEADGATE_MODEL_NAME: 'tumour', ...environment }));
}

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the settings of traces', () => {
  it('are none without a collector, or where the platform has turned traces off', () => {
    expect(read({})).toBeUndefined();
    expect(read({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });

  it.each([
    [endpoint, 'http://collector:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp/' }, 'https://collector/otlp/v1/traces'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/x' }, 'http://other/x'],
  ])('%j lead to %s', (environment, url) => {
    expect(read(environment)?.url.href).toBe(url);
  });

  it("are OpenTelemetry's own", () => {
    expect(
      read({
        ...endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-team=ml',
        OTEL_RESOURCE_ATTRIBUTES: 'k8s.namespace.name=ml',
        OTEL_SERVICE_NAME: 'fraud',
        OTEL_EXPORTER_OTLP_TIMEOUT: '250',
      }),
    ).toMatchObject({
      headers: { authorization: 'Bearer abc', 'x-team': 'ml' },
      resourceAttributes: { 'k8s.namespace.name': 'ml' },
      serviceName: 'fraud',
      timeoutMs: 250,
    });
    expect(read(endpoint)).toMatchObject({ serviceName: 'tumour', timeoutMs: 10_000, rootShare: 1 });
  });

  it.each([
    ['parentbased_always_on', undefined, 1],
    ['parentbased_always_off', undefined, 0],
    ['parentbased_traceidratio', '0.25', 0.25],
  ])('begin traces as %s says', (sampler, argument, share) => {
    const given = argument === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: argument };
    expect(read({ ...endpoint, OTEL_TRACES_SAMPLER: sampler, ...given })?.rootShare).toBe(share);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'http:// or https://'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'set http/json'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'token' }, 'pairs such as key=value'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'token=%' }, 'percent signs'],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'always_on' }, 'parentbased_always_on'],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      'a number from 0 to 1',
    ],
  ])('refuse %j and say what to set', (environment, remedy) => {
    expect(() => read(environment)).toThrow(remedy);
  });
});
