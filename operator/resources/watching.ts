import { durationMs } from '../api/duration.ts';
import type { PodShape } from '../api/model-deployment.ts';
import { quantityUnits } from './quantity.ts';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

type Records = NonNullable<NonNullable<PodShape['runtime']>['records']>;

function variablesOf(pairs: readonly (readonly [string, string | undefined])[]): readonly Variable[] {
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function fileEnvironment({ maxSize, maxFiles, maxAge }: NonNullable<Records['file']>): readonly Variable[] {
  const bytes = maxSize === undefined ? undefined : quantityUnits(String(maxSize));
  const maxAgeSeconds = maxAge === undefined ? undefined : Math.ceil(durationMs(maxAge) / 1000);
  return variablesOf([
    ['HEADGATE_RECORDS_FILE_MAX_BYTES', bytes?.toString()],
    ['HEADGATE_RECORDS_MAX_FILES', maxFiles?.toString()],
    ['HEADGATE_RECORDS_MAX_AGE_SECONDS', maxAgeSeconds?.toString()],
  ]);
}

function httpEnvironment(
  { url }: NonNullable<Records['http']>,
  allow: readonly string[] | undefined,
): readonly Variable[] {
  return [
    ...variablesOf([
      ['HEADGATE_RECORDS_HTTP_URL', url],
      ['HEADGATE_RECORDS_HTTP_ALLOW', allow?.join(',')],
    ]),
    { name: 'HEADGATE_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
  ];
}

/** What the runtime is told of the records that it keeps. */
export function recordsEnvironment(
  records: Records | undefined,
  allow: readonly string[] | undefined,
): readonly Variable[] {
  if (records === undefined) return [];
  const { sink, samplePercent, content, redact, userHeader, tenantHeader, file, http } = records;
  return [
    ...variablesOf([
      ['HEADGATE_RECORDS_SINK', sink],
      ['HEADGATE_RECORDS_SAMPLE_PERCENT', samplePercent?.toString()],
      ['HEADGATE_RECORDS_CONTENT', content],
      ['HEADGATE_RECORDS_REDACT', redact === undefined ? undefined : JSON.stringify(redact)],
      ['HEADGATE_RECORDS_USER_HEADER', userHeader],
      ['HEADGATE_RECORDS_TENANT_HEADER', tenantHeader],
    ]),
    ...(file === undefined ? [] : fileEnvironment(file)),
    ...(http === undefined ? [] : httpEnvironment(http, allow)),
  ];
}
