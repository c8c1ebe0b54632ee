import type { Settings } from '../config/settings.ts';
import { parseAllowList, type AllowList } from '../model-source/http/allow-list.ts';

const MEBIBYTE = 2 ** 20;
const HEADER_NAME = /^[a-z0-9][a-z0-9-]{0,127}$/u;

const POD_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/u;

export type RecordContent = 'Digest' | 'Redacted' | 'Full';

export interface FileSinkSettings {
  readonly kind: 'File';
  readonly directory: string;
  /** Under this name in the directory, because other pods have theirs there; undefined: it is this process' alone. */
  readonly pod: string | undefined;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Undefined: only the number of files bounds how old they get. */
  readonly maxAgeMs: number | undefined;
}

export interface HttpSinkSettings {
  readonly kind: 'Http';
  readonly url: URL;
  readonly allowed: AllowList;
  readonly namespace: string;
}

export type SinkSettings = { readonly kind: 'Stdout' } | FileSinkSettings | HttpSinkSettings;

export interface RecordSettings {
  /** Of all requests, 0 to 1. */
  readonly sampleShare: number;
  readonly content: RecordContent;
  /** Inputs whose values are never recorded, not even as part of a digest. */
  readonly redactedInputs: ReadonlySet<string>;
  readonly userHeader: string | undefined;
  readonly tenantHeader: string | undefined;
  readonly sink: SinkSettings;
}

function readHeaderName(settings: Settings, name: string): string | undefined {
  const header = settings.optional(name)?.toLowerCase();
  if (header === undefined || HEADER_NAME.test(header)) return header;
  return settings.fail(`${name} is '${header}'; set the name of a request header, for example x-user`);
}

function readUrl(settings: Settings, name: string): URL {
  const text = settings.required(name);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/u.test(url.protocol) && url.username === '') return url;
  return settings.fail(`${name} is '${text}'; set an address that begins with http:// or https://`);
}

function readAllowList(settings: Settings): AllowList {
  try {
    return parseAllowList(settings.optional('HEADGATE_RECORDS_HTTP_ALLOW') ?? '');
  } catch (error) {
    return settings.fail(`HEADGATE_RECORDS_HTTP_ALLOW: ${(error as Error).message}`);
  }
}

function readPodName(settings: Settings): string | undefined {
  const name = settings.optional('HEADGATE_RECORDS_POD');
  if (name === undefined || POD_NAME.test(name)) return name;
  return settings.fail(`HEADGATE_RECORDS_POD is '${name}'; set the name of the pod`);
}

function readFileSink(settings: Settings): FileSinkSettings {
  const maxAgeSeconds = settings.whole('HEADGATE_RECORDS_MAX_AGE_SECONDS', {
    byDefault: 0,
    minimum: 0,
    maximum: 2 ** 31,
  });
  return {
    kind: 'File',
    directory: settings.optional('HEADGATE_RECORDS_DIRECTORY') ?? '/var/lib/headgate/records',
    pod: readPodName(settings),
    maxBytes: settings.whole('HEADGATE_RECORDS_FILE_MAX_BYTES', {
      byDefault: 64 * MEBIBYTE,
      minimum: 1024,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
    maxFiles: settings.whole('HEADGATE_RECORDS_MAX_FILES', { byDefault: 4, minimum: 2, maximum: 10_000 }),
    maxAgeMs: maxAgeSeconds === 0 ? undefined : maxAgeSeconds * 1000,
  };
}

function readSink(settings: Settings, kind: SinkSettings['kind']): SinkSettings {
  switch (kind) {
    case 'Stdout':
      return { kind };
    case 'File':
      return readFileSink(settings);
    case 'Http':
      return {
        kind,
        url: readUrl(settings, 'HEADGATE_RECORDS_HTTP_URL'),
        allowed: readAllowList(settings),
        namespace: settings.optional('HEADGATE_NAMESPACE') ?? 'default',
      };
  }
}

/** Undefined: no records are kept. */
export function readRecordSettings(settings: Settings): RecordSettings | undefined {
  const sink = settings.oneOf('HEADGATE_RECORDS_SINK', ['Stdout', 'File', 'Http']);
  if (sink === undefined) return undefined;
  const percent = settings.whole('HEADGATE_RECORDS_SAMPLE_PERCENT', {
    byDefault: 100,
    minimum: 1,
    maximum: 100,
  });
  const redacted = settings.json('HEADGATE_RECORDS_REDACT') ?? [];
  if (!Array.isArray(redacted) || !redacted.every((name): name is string => typeof name === 'string')) {
    settings.fail('HEADGATE_RECORDS_REDACT: set a JSON array of the names of inputs, for example ["age"]');
  }
  return {
    sampleShare: percent / 100,
    content: settings.oneOf('HEADGATE_RECORDS_CONTENT', ['Digest', 'Redacted', 'Full']) ?? 'Digest',
    redactedInputs: new Set(redacted),
    userHeader: readHeaderName(settings, 'HEADGATE_RECORDS_USER_HEADER'),
    tenantHeader: readHeaderName(settings, 'HEADGATE_RECORDS_TENANT_HEADER'),
    sink: readSink(settings, sink),
  };
}
