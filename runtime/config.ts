import { StartFailure } from './errors.ts';
import { parseAllowList, type AllowList } from './model-source/http/allow-list.ts';
import type { ModelSource } from './model-source/model-source.ts';
import type { CredentialsKind } from './model-source/remote-file.ts';

export interface RuntimeConfig {
  readonly model: ModelSource;
  readonly modelName: string;
  readonly revision: string;
  readonly queueMaxDepth: number;
  readonly drainMs: number;
  readonly requestMaxBytes: number;
  /** Undefined: a share of the container's memory. */
  readonly requestsMaxBytes: number | undefined;
  readonly runTimeoutMs: number;
  /** Undefined: counted from the container's CPU limit. */
  readonly threads: number | undefined;
  readonly port: number;
  readonly managementPort: number;
  readonly logLevel: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const MEBIBYTE = 2 ** 20;
const CREDENTIALS_KINDS: readonly CredentialsKind[] = ['None', 'Secret', 'WorkloadIdentity'];
const LOG_LEVELS = ['error', 'warn', 'info', 'debug'];
const DEFAULT_TERMINATION_LOG = '/dev/termination-log';

function fail(message: string): never {
  throw new StartFailure('ConfigurationInvalid', message);
}

function readOptional(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

function readRequired(environment: Environment, name: string): string {
  return readOptional(environment, name) ?? fail(`the environment variable ${name} is missing; set it`);
}

interface WholeNumberRule {
  readonly name: string;
  readonly byDefault: number;
  readonly minimum: number;
  readonly maximum: number;
}

function readWholeNumber(environment: Environment, rule: WholeNumberRule): number {
  const text = readOptional(environment, rule.name);
  if (text === undefined) return rule.byDefault;
  const value = Number(text);
  if (Number.isInteger(value) && value >= rule.minimum && value <= rule.maximum) return value;
  return fail(`${rule.name} is '${text}'; set a whole number from ${rule.minimum} to ${rule.maximum}`);
}

function readSha256(environment: Environment): string | undefined {
  const digest = readOptional(environment, 'HEADGATE_MODEL_SHA256')?.toLowerCase();
  if (digest !== undefined && !/^[0-9a-f]{64}$/u.test(digest)) {
    fail(`HEADGATE_MODEL_SHA256 is '${digest}'; set the 64 hexadecimal digits that sha256sum prints`);
  }
  return digest;
}

function readAllowList(environment: Environment): AllowList {
  try {
    return parseAllowList(readOptional(environment, 'HEADGATE_MODEL_SOURCES_ALLOW') ?? '');
  } catch (error) {
    return fail(
      `HEADGATE_MODEL_SOURCES_ALLOW: ${(error as Error).message}; set ranges such as 10.0.0.0/8 and names such as *.example.com`,
    );
  }
}

function readCredentialsKind(environment: Environment): CredentialsKind {
  const text = readOptional(environment, 'HEADGATE_MODEL_CREDENTIALS') ?? 'None';
  const kind = CREDENTIALS_KINDS.find((known) => known === text);
  return kind ?? fail(`HEADGATE_MODEL_CREDENTIALS is '${text}'; set one of ${CREDENTIALS_KINDS.join(', ')}`);
}

function readPathStyle(environment: Environment): boolean | undefined {
  const text = readOptional(environment, 'HEADGATE_MODEL_S3_PATH_STYLE');
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? undefined : text === 'true';
  return fail(`HEADGATE_MODEL_S3_PATH_STYLE is '${text}'; set true or false`);
}

/** Amazon's and Google's own variables are read by the names that their platforms put into pods. */
function readModelSource(environment: Environment, maxBytes: number): ModelSource {
  const optional = (name: string): string | undefined => readOptional(environment, name);
  return {
    uri: readRequired(environment, 'HEADGATE_MODEL_URI'),
    sha256: readSha256(environment),
    maxBytes,
    downloadDirectory: optional('HEADGATE_DOWNLOAD_DIRECTORY') ?? '/var/lib/headgate',
    allowed: readAllowList(environment),
    credentials: readCredentialsKind(environment),
    credentialsDirectory: optional('HEADGATE_MODEL_CREDENTIALS_DIRECTORY') ?? '/etc/headgate/credentials',
    s3: {
      endpoint: optional('HEADGATE_MODEL_S3_ENDPOINT'),
      region: optional('HEADGATE_MODEL_S3_REGION') ?? 'us-east-1',
      pathStyle: readPathStyle(environment),
    },
    gs: { endpoint: optional('HEADGATE_MODEL_GS_ENDPOINT'), metadataHost: optional('GCE_METADATA_HOST') },
    aws: {
      roleArn: optional('HEADGATE_MODEL_ROLE') ?? optional('AWS_ROLE_ARN'),
      webIdentityTokenFile:
        optional('HEADGATE_MODEL_IDENTITY_TOKEN') ?? optional('AWS_WEB_IDENTITY_TOKEN_FILE'),
      tokenServiceUrl: optional('AWS_ENDPOINT_URL_STS'),
      containerCredentialsUrl: optional('AWS_CONTAINER_CREDENTIALS_FULL_URI'),
      containerTokenFile: optional('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'),
    },
  };
}

function readLogLevel(environment: Environment): string {
  const level = readOptional(environment, 'HEADGATE_LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(level))
    fail(`HEADGATE_LOG_LEVEL is '${level}'; set one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

/** Throws StartFailure with what to set; nothing else in the runtime reads the environment. */
export function readConfig(environment: Environment): RuntimeConfig {
  const whole = (name: string, byDefault: number, minimum: number, maximum: number): number =>
    readWholeNumber(environment, { name, byDefault, minimum, maximum });
  const threads = whole('HEADGATE_THREADS', 0, 0, 1024);
  const requestsMaxBytes = whole('HEADGATE_REQUESTS_MAX_BYTES', 0, 0, Number.MAX_SAFE_INTEGER);
  return {
    model: readModelSource(
      environment,
      whole('HEADGATE_MODEL_MAX_BYTES', 4096 * MEBIBYTE, 1, Number.MAX_SAFE_INTEGER),
    ),
    modelName: readRequired(environment, 'HEADGATE_MODEL_NAME'),
    revision: readRequired(environment, 'HEADGATE_REVISION'),
    queueMaxDepth: whole('HEADGATE_QUEUE_MAX_DEPTH', 512, 1, 1_000_000),
    drainMs: whole('HEADGATE_DRAIN_SECONDS', 5, 0, 3600) * 1000,
    requestMaxBytes: whole('HEADGATE_REQUEST_MAX_BYTES', 64 * MEBIBYTE, 1, 1024 * MEBIBYTE),
    requestsMaxBytes: requestsMaxBytes === 0 ? undefined : requestsMaxBytes,
    runTimeoutMs: whole('HEADGATE_RUN_TIMEOUT_SECONDS', 60, 1, 3600) * 1000,
    threads: threads === 0 ? undefined : threads,
    port: whole('HEADGATE_PORT', 8080, 0, 65_535),
    managementPort: whole('HEADGATE_MANAGEMENT_PORT', 8082, 0, 65_535),
    logLevel: readLogLevel(environment),
  };
}

/** Apart from readConfig, because a failure of that one has to be written there too. */
export function readTerminationLogPath(environment: Environment): string {
  return readOptional(environment, 'HEADGATE_TERMINATION_LOG') ?? DEFAULT_TERMINATION_LOG;
}

export const environment: Environment = process.env;
