import { hash } from 'node:crypto';
import { RequestError } from '../errors.ts';
import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { RedisConnection } from '../redis/connection.ts';
import type { PatientRedis } from '../redis/patient-redis.ts';
import type { Label, WaitingAnswer, WaitingAnswers } from './waiting-answers.ts';

interface SharedOptions {
  readonly redis: PatientRedis;
  readonly keptMs: number;
  readonly namespace: string;
  readonly modelName: string;
}

/** A thousand rows of numbers; an answer that is larger waits for no label. */
const LARGEST_BYTES = 32_768;
const REVISION = /^[a-z0-9.-]{1,253}$/u;

function isLabel(value: unknown): value is Label {
  return typeof value === 'string' || typeof value === 'number';
}

/** Undefined for whatever is no answer that one of us has written: its revision becomes the label of a metric. */
function readAnswer(bytes: Buffer): WaitingAnswer | undefined {
  if (bytes.length > LARGEST_BYTES) return undefined;
  try {
    const { revision, modelDigest, predicted } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    const isOurs = typeof revision === 'string' && REVISION.test(revision);
    if (!isOurs || !Array.isArray(predicted) || !predicted.every(isLabel)) return undefined;
    return { revision, modelDigest: typeof modelDigest === 'string' ? modelDigest : null, predicted };
  } catch {
    return undefined;
  }
}

/** Answers of all pods of a model, whichever their revision, in a Redis. */
export class SharedAnswers implements WaitingAnswers {
  readonly #options: SharedOptions;

  constructor(options: SharedOptions) {
    this.#options = options;
  }

  keep(requestId: string, answer: WaitingAnswer): void {
    const bytes = Buffer.from(JSON.stringify(answer));
    if (bytes.length > LARGEST_BYTES) return;
    this.#options.redis.write(this.#keyOf(requestId), bytes, this.#options.keptMs);
  }

  find(requestId: string): Promise<WaitingAnswer | undefined> {
    return this.#ask((connection) => connection.get(this.#keyOf(requestId)));
  }

  take(requestId: string): Promise<WaitingAnswer | undefined> {
    return this.#ask((connection) => connection.getAndDelete(this.#keyOf(requestId)));
  }

  scraped(labels: Labels): readonly ScrapedMetric[] {
    return this.#options.redis.scraped(labels);
  }

  close(): void {
    this.#options.redis.close();
  }

  /** Clients choose ids: a digest is as long for each of them, and no other model's. */
  #keyOf(requestId: string): string {
    const { namespace, modelName } = this.#options;
    return `headgate:feedback:${hash('sha256', [namespace, modelName, requestId].join('\0'))}`;
  }

  async #ask(
    question: (connection: RedisConnection) => Promise<Buffer | null>,
  ): Promise<WaitingAnswer | undefined> {
    const bytes = await this.#options.redis.ask(question);
    if (bytes === undefined) {
      throw new RequestError(
        'FeedbackUnavailable',
        'the Redis in which answers wait for their labels does not answer; try again later',
        1,
      );
    }
    return bytes === null ? undefined : readAnswer(bytes);
  }
}
