import { canonicalJson } from '../api/canonical.ts';
import { durationMs } from '../api/duration.ts';
import type { PodShape } from '../api/model-deployment.ts';
import { RECORDS_MOUNT } from '../api/names.ts';
import type { ModelSources } from './controller-revision.ts';
import { quantityUnits } from './quantity.ts';
import { managementTokenFile, redisPasswordFile, type RedisUse } from './runtime-mounts.ts';

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

type Runtime = NonNullable<PodShape['runtime']>;
type Fields = { readonly [Field in keyof Runtime]-?: NonNullable<Runtime[Field]> };
/** By the name of the variable; undefined leaves the runtime to its own default. */
type Settings = Readonly<Record<string, string | number | { readonly valueFrom: unknown } | undefined>>;

const DEFAULT_FEEDBACK_ANSWERS = 10_000;

function fieldOfPod(fieldPath: string): { readonly valueFrom: unknown } {
  return { valueFrom: { fieldRef: { fieldPath } } };
}

/** What each field of `spec.runtime` tells the runtime. */
const settingsOf: {
  readonly [Field in keyof Fields]: (given: Fields[Field], modelSources: ModelSources) => Settings;
} = {
  // The container's own.
  image: () => ({}),
  queue: ({ maxDepth, timeout }) => ({
    HEADGATE_QUEUE_MAX_DEPTH: maxDepth,
    HEADGATE_QUEUE_TIMEOUT_MS: milliseconds(timeout),
  }),
  batching: ({ maxBatchSize, maxDelay }) => ({
    HEADGATE_BATCH_MAX_SIZE: maxBatchSize,
    HEADGATE_BATCH_MAX_DELAY_MS: milliseconds(maxDelay),
  }),
  executors: ({ count, threads, loadTimeout }) => ({
    HEADGATE_EXECUTORS: count,
    HEADGATE_THREADS: threads,
    HEADGATE_LOAD_TIMEOUT_MS: milliseconds(loadTimeout),
  }),
  cache: ({ ttl, maxSize, redis }) => ({
    HEADGATE_CACHE_TTL_MS: milliseconds(ttl),
    HEADGATE_CACHE_MAX_BYTES: bytes(maxSize),
    ...(redis && redisSettings('cache', redis)),
  }),
  inputs: (inputs) => ({ HEADGATE_INPUTS: canonicalJson(inputs) }),
  output: (output) => ({ HEADGATE_OUTPUT: canonicalJson(output) }),
  session: (session) => ({ HEADGATE_SESSION: canonicalJson(session) }),
  logLevel: (level) => ({ HEADGATE_LOG_LEVEL: level }),
  records: (
    { sink, samplePercent, content, redact, userHeader, tenantHeader, file, http },
    modelSources,
  ) => ({
    HEADGATE_RECORDS_SINK: sink,
    HEADGATE_RECORDS_SAMPLE_PERCENT: samplePercent,
    HEADGATE_RECORDS_CONTENT: content,
    HEADGATE_RECORDS_REDACT: redact && canonicalJson(redact),
    HEADGATE_RECORDS_USER_HEADER: userHeader,
    HEADGATE_RECORDS_TENANT_HEADER: tenantHeader,
    ...(file && recordFiles(file)),
    ...(http && recordEvents(http, modelSources)),
  }),
  drift: ({ baseline, file, learnRows, window }) => ({
    HEADGATE_DRIFT_BASELINE: baseline,
    HEADGATE_DRIFT_BASELINE_FILE: file,
    HEADGATE_DRIFT_LEARN_ROWS: learnRows,
    HEADGATE_DRIFT_WINDOW_SECONDS: seconds(window),
  }),
  feedback: ({ answers = DEFAULT_FEEDBACK_ANSWERS, wait, redis }) => ({
    HEADGATE_FEEDBACK_ANSWERS: answers,
    HEADGATE_FEEDBACK_WAIT_SECONDS: seconds(wait),
    ...(redis && {
      ...redisSettings('feedback', redis),
      HEADGATE_NAMESPACE: fieldOfPod('metadata.namespace'),
    }),
  }),
  management: () => ({
    HEADGATE_MANAGEMENT_TOKEN_FILE: managementTokenFile,
  }),
};

type Records = Fields['records'];

function recordFiles({ maxSize, maxFiles, maxAge, claimName }: NonNullable<Records['file']>): Settings {
  return {
    HEADGATE_RECORDS_FILE_MAX_BYTES: bytes(maxSize),
    HEADGATE_RECORDS_MAX_FILES: maxFiles,
    HEADGATE_RECORDS_MAX_AGE_SECONDS: seconds(maxAge),
    ...(claimName !== undefined && {
      // The kubelet puts the value of that variable in its place. Other models may have their files on the same claim.
      HEADGATE_RECORDS_DIRECTORY: `${RECORDS_MOUNT}/$(HEADGATE_MODEL_NAME)`,
      HEADGATE_RECORDS_POD: fieldOfPod('metadata.name'),
    }),
  };
}

function recordEvents({ url }: NonNullable<Records['http']>, { allow }: ModelSources): Settings {
  return {
    HEADGATE_RECORDS_HTTP_URL: url,
    HEADGATE_RECORDS_HTTP_ALLOW: allow?.join(','),
    HEADGATE_NAMESPACE: fieldOfPod('metadata.namespace'),
  };
}

function redisSettings(use: RedisUse, { url, secretName }: NonNullable<Fields[RedisUse]['redis']>): Settings {
  const prefix = `HEADGATE_${use.toUpperCase()}_REDIS`;
  return {
    [`${prefix}_URL`]: url,
    [`${prefix}_PASSWORD_FILE`]: secretName === undefined ? undefined : redisPasswordFile(use),
  };
}

/** All of `spec.runtime` as variables of the runtime's container. */
export function runtimeSettings(
  runtime: Runtime,
  modelSources: ModelSources,
): readonly EnvironmentVariable[] {
  const fields = Object.keys(settingsOf) as (keyof Runtime)[];
  const settings = fields.map((field) => settingsOfField(field, runtime[field], modelSources));
  return Object.entries(Object.assign({}, ...settings) as Settings).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [typeof value === 'object' ? { name, ...value } : { name, value: String(value) }];
  });
}

function settingsOfField<Field extends keyof Fields>(
  field: Field,
  given: Fields[Field] | undefined,
  modelSources: ModelSources,
): Settings {
  return given === undefined ? {} : settingsOf[field](given, modelSources);
}

/** A duration may have fractions of a millisecond, the runtime's settings have none. */
function milliseconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : Math.max(1, Math.round(durationMs(duration)));
}

function seconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : Math.ceil(durationMs(duration) / 1000);
}

function bytes(quantity: string | number | undefined): string | undefined {
  return quantity === undefined ? undefined : quantityUnits(String(quantity))?.toString();
}
