import { describe, expect, it } from 'vitest';
import { readConfig, readTerminationLogPath } from '../../../runtime/config/config.ts';
import { defaultSession } from '../../../runtime/executor/session-settings.ts';
import { noOutputSettings } from '../../../runtime/output/settings.ts';
import type { StartFailure } from '../../../runtime/errors.ts';
import { parseAllowList } from '../../../runtime/model-source/http/allow-list.ts';
import { modelSource } from '../model-source/source.ts';

const smallest = {
  HEADGATE_MODEL_URI: 'file:///mnt/model/fraud.onnx',
  HEADGATE_MODEL_NAME: 'fraud',
  HEADGATE_REVISION: 'fraud-7cb4d9f2a1',
};

function refusalOf(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    readConfig(environment);
  } catch (error) {
    const { reason, message } = error as StartFailure;
    return `${reason}: ${message}`;
  }
  throw new Error('the environment was accepted');
}

describe('the configuration', () => {
  it('needs no more than address, model and revision', () => {
    expect(readConfig(smallest)).toEqual({
      model: modelSource({
        uri: 'file:///mnt/model/fraud.onnx',
        maxBytes: 2 ** 32,
        downloadDirectory: '/var/lib/headgate',
        credentialsDirectory: '/etc/headgate/credentials',
        allowed: parseAllowList(''),
      }),
      modelName: 'fraud',
      revision: 'fraud-7cb4d9f2a1',
      queue: { maxDepth: 512, timeoutMs: undefined },
      batch: { maxRows: 32, maxDelayMs: 5 },
      cache: undefined,
      drainMs: 5000,
      inputs: [],
      output: noOutputSettings,
      requestMaxBytes: 2 ** 26,
      requestsMaxBytes: undefined,
      executor: {
        executors: undefined,
        threads: undefined,
        loadTimeoutMs: 120_000,
        runTimeoutMs: 60_000,
        session: defaultSession,
      },
      port: 8080,
      grpcPort: 8081,
      managementPort: 8082,
      managementTokenFile: undefined,
      logLevel: 'info',
      drift: undefined,
      feedback: undefined,
      records: undefined,
      traces: undefined,
    });
  });

  it('takes what is set', () => {
    const config = readConfig({
      ...smallest,
      HEADGATE_MODEL_SHA256: 'AB'.repeat(32),
      HEADGATE_QUEUE_MAX_DEPTH: '16',
      HEADGATE_QUEUE_TIMEOUT_MS: '2500',
      HEADGATE_BATCH_MAX_SIZE: '8',
      HEADGATE_BATCH_MAX_DELAY_MS: '0',
      HEADGATE_CACHE_TTL_MS: '1000',
      HEADGATE_CACHE_REDIS_URL: 'redis://redis:6379/2',
      HEADGATE_CACHE_REDIS_PASSWORD_FILE: '/etc/redis/password',
      HEADGATE_DRAIN_SECONDS: '0',
      HEADGATE_THREADS: '3',
      HEADGATE_EXECUTORS: '2',
      HEADGATE_MANAGEMENT_TOKEN_FILE: '/etc/headgate/management/token',
      HEADGATE_LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      model: { sha256: 'ab'.repeat(32) },
      queue: { maxDepth: 16, timeoutMs: 2500 },
      batch: { maxRows: 8, maxDelayMs: 0 },
      cache: {
        ttlMs: 1000,
        maxBytes: 2 ** 26,
        redis: { url: 'redis://redis:6379/2', passwordFile: '/etc/redis/password' },
      },
      drainMs: 0,
      executor: { executors: 2, threads: 3 },
      managementTokenFile: '/etc/headgate/management/token',
      logLevel: 'debug',
    });
  });

  it.each([
    ['HEADGATE_MODEL_URI', undefined, 'is missing; set it'],
    ['HEADGATE_MODEL_NAME', '  ', 'is missing; set it'],
    ['HEADGATE_REVISION', '', 'is missing; set it'],
    ['HEADGATE_MODEL_SHA256', 'abc', 'the 64 hexadecimal digits that sha256sum prints'],
    ['HEADGATE_MODEL_SOURCES_ALLOW', '10.0.0.0/8,10.0.0/8', "'10.0.0/8' is no range"],
    ['HEADGATE_MODEL_CREDENTIALS', 'secret', 'None, Secret, WorkloadIdentity'],
    ['HEADGATE_MODEL_S3_PATH_STYLE', 'yes', 'true or false'],
    ['HEADGATE_QUEUE_MAX_DEPTH', '0', 'a whole number from 1 to 1000000'],
    ['HEADGATE_QUEUE_TIMEOUT_MS', '-1', 'a whole number from 0 to 86400000'],
    ['HEADGATE_EXECUTORS', '65', 'a whole number from 0 to 64'],
    ['HEADGATE_CACHE_TTL_MS', '1m', 'a whole number from 0 to'],
    ['HEADGATE_BATCH_MAX_SIZE', '0', 'a whole number from 1 to 1024'],
    ['HEADGATE_BATCH_MAX_DELAY_MS', '5ms', 'a whole number from 0 to 10000'],
    ['HEADGATE_QUEUE_MAX_DEPTH', 'many', 'a whole number from 1 to 1000000'],
    ['HEADGATE_DRAIN_SECONDS', '-1', 'a whole number from 0 to 3600'],
    ['HEADGATE_PORT', '65536', 'a whole number from 0 to 65535'],
    ['HEADGATE_THREADS', '1.5', 'a whole number from 0 to 1024'],
    ['HEADGATE_LOG_LEVEL', 'loud', 'error, warn, info, debug'],
  ])('refuses %s=%s and says what to set', (name, value, remedy) => {
    const refusal = refusalOf({ ...smallest, [name]: value });
    expect(refusal).toMatch(/^ConfigurationInvalid: /);
    expect(refusal).toContain(name);
    expect(refusal).toContain(remedy);
  });

  it("knows where the kubelet looks for a container's last words", () => {
    expect(readTerminationLogPath({})).toBe('/dev/termination-log');
    expect(readTerminationLogPath({ HEADGATE_TERMINATION_LOG: '/tmp/last-words' })).toBe('/tmp/last-words');
  });
});
