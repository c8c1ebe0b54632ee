import type { Settings } from '../config/settings.ts';
import { parseAllowList, type AllowList } from './http/allow-list.ts';
import type { ModelSource } from './model-source.ts';

const MEBIBYTE = 2 ** 20;

function readSha256(settings: Settings): string | undefined {
  const digest = settings.optional('HEADGATE_MODEL_SHA256')?.toLowerCase();
  if (digest !== undefined && !/^[0-9a-f]{64}$/u.test(digest)) {
    settings.fail(
      `HEADGATE_MODEL_SHA256 is '${digest}'; set the 64 hexadecimal digits that sha256sum prints`,
    );
  }
  return digest;
}

function readAllowList(settings: Settings): AllowList {
  try {
    return parseAllowList(settings.optional('HEADGATE_MODEL_SOURCES_ALLOW') ?? '');
  } catch (error) {
    return settings.fail(
      `HEADGATE_MODEL_SOURCES_ALLOW: ${(error as Error).message}; set ranges such as 10.0.0.0/8 and names such as *.example.com`,
    );
  }
}

/** Amazon's and Google's own variables are read by the names that their platforms put into pods. */
export function readModelSource(settings: Settings): ModelSource {
  const optional = (name: string): string | undefined => settings.optional(name);
  return {
    uri: settings.required('HEADGATE_MODEL_URI'),
    sha256: readSha256(settings),
    maxBytes: settings.whole('HEADGATE_MODEL_MAX_BYTES', {
      byDefault: 4096 * MEBIBYTE,
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
    downloadDirectory: optional('HEADGATE_DOWNLOAD_DIRECTORY') ?? '/var/lib/headgate',
    allowed: readAllowList(settings),
    credentials:
      settings.oneOf('HEADGATE_MODEL_CREDENTIALS', ['None', 'Secret', 'WorkloadIdentity']) ?? 'None',
    credentialsDirectory: optional('HEADGATE_MODEL_CREDENTIALS_DIRECTORY') ?? '/etc/headgate/credentials',
    s3: {
      endpoint: optional('HEADGATE_MODEL_S3_ENDPOINT'),
      region: optional('HEADGATE_MODEL_S3_REGION') ?? 'us-east-1',
      pathStyle: settings.flag('HEADGATE_MODEL_S3_PATH_STYLE'),
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
