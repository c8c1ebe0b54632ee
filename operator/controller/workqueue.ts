export interface WorkQueueOptions {
  readonly firstBackoffMs?: number;
  readonly lastBackoffMs?: number;
}

const FIRST_BACKOFF_MS = 5;
const LAST_BACKOFF_MS = 1_000_000;
/** Timers hold no longer delays; the pass that comes early then finds nothing to do and asks again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Keys that want a pass: each at most once in the queue, never two passes of one key at a time, and a key that is
 * added during its pass gets another one afterwards.
 */
export class WorkQueue {
  private readonly firstBackoffMs: number;
  private readonly lastBackoffMs: number;
  private readonly ready = new Set<string>();
  private readonly active = new Set<string>();
  /** Keys to put back into the queue when their pass is over. */
  private readonly again = new Set<string>();
  private readonly delayed = new Map<string, { readonly dueMs: number; readonly timer: NodeJS.Timeout }>();
  private readonly failures = new Map<string, number>();
  private readonly waiting: ((key: string | undefined) => void)[] = [];
  private isClosed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.firstBackoffMs = options.firstBackoffMs ?? FIRST_BACKOFF_MS;
    this.lastBackoffMs = options.lastBackoffMs ?? LAST_BACKOFF_MS;
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.ready.size;
  }

  add(key: string): void {
    if (this.isClosed) return;
    if (this.active.has(key)) {
      this.again.add(key);
      return;
    }
    this.ready.add(key);
    this.dispatch();
  }

  /** Adds the key later; of several delays the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.isClosed) return;
    const wholeMs = Math.min(Math.max(Math.ceil(delayMs), 0), LONGEST_TIMER_MS);
    const dueMs = Date.now() + wholeMs;
    const pending = this.delayed.get(key);
    if (pending !== undefined && pending.dueMs <= dueMs) return;
    clearTimeout(pending?.timer);
    const timer = setTimeout(() => {
      this.delayed.delete(key);
      this.add(key);
    }, wholeMs);
    this.delayed.set(key, { dueMs, timer });
  }

  /** Adds the key later, twice as late as the last time, until `forget`; never before `atLeastMs` have passed. */
  addAfterFailure(key: string, atLeastMs = 0): void {
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    const backoffMs = Math.min(this.firstBackoffMs * 2 ** failures, this.lastBackoffMs);
    this.addAfter(key, Math.max(backoffMs, atLeastMs));
  }

  /** The key's last pass succeeded. */
  forget(key: string): void {
    this.failures.delete(key);
  }

  /** The next key, for one worker, which must call `done` after its pass; undefined once the queue is closed. */
  async next(): Promise<string | undefined> {
    if (this.isClosed) return undefined;
    return await new Promise((resolve) => {
      this.waiting.push(resolve);
      this.dispatch();
    });
  }

  done(key: string): void {
    this.active.delete(key);
    if (this.again.delete(key)) this.add(key);
  }

  /** Hands out nothing more; passes under way end by themselves. */
  close(): void {
    this.isClosed = true;
    this.ready.clear();
    this.again.clear();
    for (const { timer } of this.delayed.values()) clearTimeout(timer);
    this.delayed.clear();
    for (const resolve of this.waiting.splice(0)) resolve(undefined);
  }

  private dispatch(): void {
    const [key] = this.ready;
    if (key === undefined) return;
    const worker = this.waiting.shift();
    if (worker === undefined) return;
    this.ready.delete(key);
    this.active.add(key);
    this.dropDelay(key);
    worker(key);
  }

  /** The pass that begins now decides anew when the next one is due. */
  private dropDelay(key: string): void {
    clearTimeout(this.delayed.get(key)?.timer);
    this.delayed.delete(key);
  }
}
