import { readInputRules, type InputRule } from '../inputs/settings.ts';
import { readOutputSettings, type OutputSettings } from '../output/settings.ts';
import type { BatchLimits } from '../batching/planner.ts';
import { readBatchLimits } from '../batching/settings.ts';
import { readDriftSettings, type DriftSettings } from '../drift/settings.ts';
import { readFeedbackSettings, type FeedbackSettings } from '../feedback/settings.ts';
import { readModelSource } from '../model-source/settings.ts';
import type { ModelSource } from '../model-source/model-source.ts';
import { readQueueSettings, type QueueSettings } from '../queue/settings.ts';
import { readRecordSettings, type RecordSettings } from '../records/settings.ts';
import { readTraceSettings, type TraceSettings } from '../traces/settings.ts';
import { readCacheSettings, type CacheSettings } from '../cache/settings.ts';
import { readExecutorSettings, type ExecutorSettings } from '../executor/settings.ts';
import { Settings, type Environment } from './settings.ts';

export interface RuntimeConfig {
  readonly model: ModelSource;
  readonly modelName: string;
  readonly revision: string;
  readonly inputs: readonly InputRule[];
  readonly output: OutputSettings;
  readonly queue: QueueSettings;
  readonly batch: BatchLimits;
  readonly cache: CacheSettings | undefined;
  readonly drainMs: number;
  readonly requestMaxBytes: number;
  /** Undefined: a share of the container's memory. */
  readonly requestsMaxBytes: number | undefined;
  readonly executor: ExecutorSettings;
  readonly port: number;
  readonly grpcPort: number;
  readonly managementPort: number;
  /** Undefined: whoever reaches the management port may ask for everything. */
  readonly managementTokenFile: string | undefined;
  readonly logLevel: string;
  /** Undefined: nothing is compared with a baseline. */
  readonly drift: DriftSettings | undefined;
  /** Undefined: nobody waits for labels. */
  readonly feedback: FeedbackSettings | undefined;
  /** Undefined: no records are kept. */
  readonly records: RecordSettings | undefined;
  /** Undefined: there is no collector. */
  readonly traces: TraceSettings | undefined;
}

const MEBIBYTE = 2 ** 20;
const DEFAULT_TERMINATION_LOG = '/dev/termination-log';

/**
 * Throws StartFailure with what to set; nothing else in the runtime reads the environment. A concept with more than a
 * number or two has a reader of its own beside it, as the model's source has.
 */
export function readConfig(environment: Environment): RuntimeConfig {
  const settings = new Settings(environment);
  const whole = (name: string, byDefault: number, minimum: number, maximum: number): number =>
    settings.whole(name, { byDefault, minimum, maximum });
  const requestsMaxBytes = whole('HEADGATE_REQUESTS_MAX_BYTES', 0, 0, Number.MAX_SAFE_INTEGER);
  return {
    model: readModelSource(settings),
    modelName: settings.required('HEADGATE_MODEL_NAME'),
    revision: settings.required('HEADGATE_REVISION'),
    inputs: readInputRules(settings),
    output: readOutputSettings(settings),
    queue: readQueueSettings(settings),
    batch: readBatchLimits(settings),
    cache: readCacheSettings(settings),
    drainMs: whole('HEADGATE_DRAIN_SECONDS', 5, 0, 3600) * 1000,
    requestMaxBytes: whole('HEADGATE_REQUEST_MAX_BYTES', 64 * MEBIBYTE, 1, 1024 * MEBIBYTE),
    requestsMaxBytes: requestsMaxBytes === 0 ? undefined : requestsMaxBytes,
    executor: readExecutorSettings(settings),
    port: whole('HEADGATE_PORT', 8080, 0, 65_535),
    grpcPort: whole('HEADGATE_GRPC_PORT', 8081, 0, 65_535),
    managementPort: whole('HEADGATE_MANAGEMENT_PORT', 8082, 0, 65_535),
    managementTokenFile: settings.optional('HEADGATE_MANAGEMENT_TOKEN_FILE'),
    logLevel: settings.oneOf('HEADGATE_LOG_LEVEL', ['error', 'warn', 'info', 'debug']) ?? 'info',
    drift: readDriftSettings(settings),
    feedback: readFeedbackSettings(settings),
    records: readRecordSettings(settings),
    traces: readTraceSettings(settings),
  };
}

/** Apart from readConfig, because a failure of that one has to be written there too. */
export function readTerminationLogPath(environment: Environment): string {
  return new Settings(environment).optional('HEADGATE_TERMINATION_LOG') ?? DEFAULT_TERMINATION_LOG;
}

export const environment: Environment = process.env;
