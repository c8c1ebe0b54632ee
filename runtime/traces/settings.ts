import type { Settings } from '../config/settings.ts';

export interface TraceSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Of requests that come without a trace, 0 to 1; those that come with one follow their sender. */
  readonly rootShare: number;
}

function readUrl(settings: Settings): URL | undefined {
  const whole = settings.optional('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = settings.optional('OTEL_EXPORTER_OTLP_ENDPOINT');
  const text = whole ?? (base === undefined ? undefined : `${base.replace(/\/$/u, '')}/v1/traces`);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/u.test(url.protocol)) return url;
  return settings.fail(
    `the endpoint of traces is '${text}'; set OTEL_EXPORTER_OTLP_ENDPOINT to http:// or https://`,
  );
}

/** `key=value,key=value`, percent-encoded, as the variables of OpenTelemetry have it. */
function readPairs(settings: Settings, name: string): Record<string, string> {
  const entries = (settings.optional(name) ?? '').split(',').filter((entry) => entry.trim() !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1)
        settings.fail(`${name} holds '${entry}'; set pairs such as key=value with commas between them`);
      try {
        return [entry.slice(0, at).trim(), decodeURIComponent(entry.slice(at + 1).trim())];
      } catch {
        return settings.fail(`${name} holds '${entry}', whose percent signs are no encoding`);
      }
    }),
  );
}

function readShare(settings: Settings): number {
  const name = 'OTEL_TRACES_SAMPLER';
  const samplers = ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const;
  const sampler = settings.oneOf(name, samplers) ?? 'parentbased_always_on';
  if (sampler !== 'parentbased_traceidratio') return sampler === 'parentbased_always_on' ? 1 : 0;
  const share = Number(settings.optional(`${name}_ARG`) ?? 1);
  return share >= 0 && share <= 1 ? share : settings.fail(`${name}_ARG: set a number from 0 to 1`);
}

/**
 * OpenTelemetry's own variables, which platforms set for all their pods.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Undefined: no traces.
 */
export function readTraceSettings(settings: Settings): TraceSettings | undefined {
  if (settings.flag('OTEL_SDK_DISABLED') === true) return undefined;
  const url = readUrl(settings);
  if (url === undefined) return undefined;
  const protocol = settings.optional('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/json';
  // Whoever takes protobuf over HTTP takes JSON at the same address.
  if (!['http/json', 'http/protobuf'].includes(protocol)) {
    settings.fail(
      `OTEL_EXPORTER_OTLP_PROTOCOL is '${protocol}'; set http/json, and the endpoint to its port, often 4318`,
    );
  }
  const timeout = { byDefault: 10_000, minimum: 1, maximum: 600_000 };
  return {
    url,
    headers: readPairs(settings, 'OTEL_EXPORTER_OTLP_HEADERS'),
    timeoutMs: settings.whole('OTEL_EXPORTER_OTLP_TIMEOUT', timeout),
    serviceName: settings.optional('OTEL_SERVICE_NAME') ?? settings.required('HEADGATE_MODEL_NAME'),
    resourceAttributes: readPairs(settings, 'OTEL_RESOURCE_ATTRIBUTES'),
    rootShare: readShare(settings),
  };
}
