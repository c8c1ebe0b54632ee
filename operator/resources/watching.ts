import { durationMs } from '../api/duration.ts';
import type { PodShape } from '../api/model-deployment.ts';
import { quantityUnits } from './quantity.ts';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

type Runtime = NonNullable<PodShape['runtime']>;
type Records = NonNullable<Runtime['records']>;
type Drift = NonNullable<Runtime['drift']>;
type Feedback = NonNullable<Runtime['feedback']>;

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

function recordsEnvironment(records: Records, allow: readonly string[] | undefined): readonly Variable[] {
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

function driftEnvironment({ baseline, file, learnRows, window }: Drift): readonly Variable[] {
  const windowSeconds = window === undefined ? undefined : Math.ceil(durationMs(window) / 1000);
  return variablesOf([
    ['HEADGATE_DRIFT_BASELINE', baseline],
    ['HEADGATE_DRIFT_BASELINE_FILE', file],
    ['HEADGATE_DRIFT_LEARN_ROWS', learnRows?.toString()],
    ['HEADGATE_DRIFT_WINDOW_SECONDS', windowSeconds?.toString()],
  ]);
}

function feedbackEnvironment({ answers, wait }: Feedback): readonly Variable[] {
  const waitSeconds = wait === undefined ? undefined : Math.ceil(durationMs(wait) / 1000);
  return variablesOf([
    ['HEADGATE_FEEDBACK_ANSWERS', answers.toString()],
    ['HEADGATE_FEEDBACK_WAIT_SECONDS', waitSeconds?.toString()],
  ]);
}

/** What the runtime is told of how it is to watch its traffic. */
export function watchingEnvironment(
  runtime: Runtime | undefined,
  allow: readonly string[] | undefined,
): readonly Variable[] {
  const { records, drift, feedback } = runtime ?? {};
  return [
    ...(records === undefined ? [] : recordsEnvironment(records, allow)),
    ...(drift === undefined ? [] : driftEnvironment(drift)),
    ...(feedback === undefined ? [] : feedbackEnvironment(feedback)),
  ];
}
