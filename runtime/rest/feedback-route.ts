import type { Joined } from '../feedback/feedback.ts';
import { parseFeedback } from '../feedback/parse-feedback.ts';
import type { Label } from '../feedback/waiting-answers.ts';
import { HangUpError } from '../inference/inference-service.ts';
import { BodyBudget } from '../body/budget.ts';
import { readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { Route } from './routes.ts';

const MOST_BYTES = 2 ** 20;
const MOST_BYTES_TOGETHER = 2 ** 24;

/** Undefined for a request that nobody waits for. Rejects with RequestError for labels that do not fit the answer. */
export type Join = (requestId: string, labels: readonly Label[]) => Promise<Joined | undefined>;

function answerUnknown(exchange: Exchange, requestId: string): void {
  const error = `no answer to a request '${requestId.slice(0, 128)}' waits for its label here: another pod gave it, it is too old, or its label has come`;
  exchange.answer(404, JSON.stringify({ error }));
}

async function answerFeedback(exchange: Exchange, budget: BodyBudget, join: Join): Promise<void> {
  exchange.acceptBody();
  const body = await readBody(exchange.request, budget);
  try {
    const { requestId, labels } = parseFeedback(body.bytes);
    const joined = await join(requestId, labels);
    if (joined === undefined) {
      answerUnknown(exchange, requestId);
      return;
    }
    const { revision, accuracy, meanAbsoluteError } = joined;
    exchange.answer(
      200,
      JSON.stringify({ request_id: requestId, revision, accuracy, mean_absolute_error: meanAbsoluteError }),
    );
  } finally {
    body.release();
  }
}

/** POST /feedback: what would have been right, when somebody knows. */
export function buildFeedbackRoute(join: Join): Route {
  const budget = new BodyBudget(MOST_BYTES, MOST_BYTES_TOGETHER);
  return {
    method: 'POST',
    handle: async (exchange) => {
      try {
        await answerFeedback(exchange, budget, join);
      } catch (error) {
        if (!(error instanceof HangUpError)) throw error;
      }
    },
  };
}
