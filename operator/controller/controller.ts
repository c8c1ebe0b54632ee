import { isConflict, OutOfTermError, retryAfterOf } from './errors.ts';
import { WorkQueue } from './workqueue.ts';

/** What a pass wants next for its key; nothing at all means that events decide. */
export interface PassResult {
  readonly requeueAfterMs?: number;
}

export type Outcome = 'done' | 'requeued' | 'conflict' | 'outOfTerm' | 'error';

export interface ControllerOptions {
  readonly reconcile: (key: string) => Promise<PassResult>;
  /** How many keys are worked on at the same time. */
  readonly workers: number;
  readonly onPass?: (key: string, outcome: Outcome, durationMs: number) => void;
  readonly onError?: (key: string, error: unknown) => void;
  readonly queue?: WorkQueue;
}

/** Takes keys from a queue and reconciles them, again and again. */
export class Controller {
  readonly queue: WorkQueue;
  private readonly options: ControllerOptions;
  private readonly workers: Promise<void>[] = [];

  constructor(options: ControllerOptions) {
    this.options = options;
    this.queue = options.queue ?? new WorkQueue();
  }

  start(): void {
    while (this.workers.length < this.options.workers) this.workers.push(this.work());
  }

  /** Begins no further pass; settled once those under way are over. */
  async stop(): Promise<void> {
    this.queue.close();
    await Promise.all(this.workers);
  }

  private async work(): Promise<void> {
    for (;;) {
      const key = await this.queue.next();
      if (key === undefined) return;
      const startedAtMs = performance.now();
      const outcome = await this.pass(key);
      this.queue.done(key);
      this.options.onPass?.(key, outcome, performance.now() - startedAtMs);
    }
  }

  private async pass(key: string): Promise<Outcome> {
    try {
      const { requeueAfterMs } = await this.options.reconcile(key);
      this.queue.forget(key);
      if (requeueAfterMs === undefined) return 'done';
      this.queue.addAfter(key, requeueAfterMs);
      return 'requeued';
    } catch (error) {
      this.queue.addAfterFailure(key, retryAfterOf(error));
      // The cache was behind: it catches up by itself, and nobody needs to hear of it.
      if (isConflict(error)) return 'conflict';
      // Another process goes on from here.
      if (error instanceof OutOfTermError) return 'outOfTerm';
      this.options.onError?.(key, error);
      return 'error';
    }
  }
}
