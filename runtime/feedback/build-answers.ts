import type { Logger } from 'winston';
import { connectToRedis } from '../redis/connection.ts';
import { PatientRedis } from '../redis/patient-redis.ts';
import { LocalAnswers } from './local-answers.ts';
import type { FeedbackSettings } from './settings.ts';
import { SharedAnswers } from './shared-answers.ts';
import type { WaitingAnswers } from './waiting-answers.ts';

/** No request of the model waits for it, only whoever brings a label. */
const PATIENCE_MS = 500;

export function buildWaitingAnswers(
  settings: FeedbackSettings,
  modelName: string,
  log: Logger,
): WaitingAnswers {
  const { redis, keptMs, namespace } = settings;
  if (redis === undefined) return new LocalAnswers(settings, () => performance.now());
  const options = { ...redis, use: 'feedback' as const, patienceMs: PATIENCE_MS, log };
  return new SharedAnswers({
    redis: new PatientRedis(options, connectToRedis),
    ...{ keptMs, namespace, modelName },
  });
}
