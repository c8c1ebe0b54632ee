import type { Settings } from '../config/settings.ts';
import type { FeedbackSettings } from './feedback.ts';

/** Undefined: nobody waits for labels. */
export function readFeedbackSettings(settings: Settings): FeedbackSettings | undefined {
  const mostKept = settings.whole('HEADGATE_FEEDBACK_ANSWERS', {
    byDefault: 0,
    minimum: 0,
    maximum: 1_000_000,
  });
  const keptSeconds = settings.whole('HEADGATE_FEEDBACK_WAIT_SECONDS', {
    byDefault: 86_400,
    minimum: 1,
    maximum: 2 ** 31,
  });
  return mostKept === 0 ? undefined : { mostKept, keptMs: keptSeconds * 1000 };
}
