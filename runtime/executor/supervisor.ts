import { stripVTControlCharacters } from 'node:util';
import type { Logger } from 'winston';
import type { BatchProfile } from '../batching/batcher.ts';
import type { ModelSignature } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import type { ExecutionProvider } from './execution-providers.ts';
import { ExecutorProcess } from './executor-process.ts';
import { ExecutorLostError, type Executor, type ExecutorState, type RunResult } from './executor.ts';
import type { LoadMessage, ReadyMessage } from './messages.ts';
import { isWorthWaiting, restartDelayMs, STABLE_AFTER_MS } from './restart-policy.ts';

const LONGEST_OUTPUT = 2000;

export interface ModelToRun {
  readonly load: LoadMessage;
  /** Runs before every restart; a rejection is final and ends the server. */
  readonly verifyUnchanged: () => Promise<void>;
}

export interface SupervisorOptions {
  readonly log: Logger;
  readonly loadTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly onFatal: (error: unknown) => void;
  readonly onRestart: () => void;
}

/** Keeps one executor process alive: whatever ends it, the next one is on its way and the server goes on. */
export class ExecutorSupervisor implements Executor {
  state: ExecutorState = 'starting';
  signature: ModelSignature | undefined;
  batchProfile: BatchProfile | undefined;
  /** Where the model runs; undefined until it has been loaded once. */
  provider: ExecutionProvider | undefined;
  readonly #options: SupervisorOptions;
  readonly #listeners: ((state: ExecutorState) => void)[] = [];
  #process: ExecutorProcess | undefined;
  #consecutiveLosses = 0;
  #readySince = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** The first start; rejects with StartFailure when the model cannot be served at all. */
  async start(model: ModelToRun): Promise<void> {
    const first = this.#spawn(model);
    this.#becomeReady(first, await first.ready);
  }

  /** The first start where another executor serves the model already: a failure is tried again as a loss is. */
  startBeside(model: ModelToRun): Promise<void> {
    return this.#restart(model);
  }

  run(works: readonly InferWork[]): Promise<RunResult> {
    if (this.#process === undefined) return Promise.reject(new ExecutorLostError('is not running'));
    return this.#process.run(works);
  }

  onStateChange(listener: (state: ExecutorState) => void): void {
    this.#listeners.push(listener);
  }

  get processId(): number | undefined {
    return this.#process?.processId;
  }

  async close(): Promise<void> {
    this.#change('closed');
    clearTimeout(this.#restartTimer);
    await this.#process?.close();
  }

  #change(state: ExecutorState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #spawn(model: ModelToRun): ExecutorProcess {
    const { log, loadTimeoutMs, runTimeoutMs } = this.#options;
    // Native code writes to the process' own output, and what is no JSON would break the log of the server.
    const onOutput = (line: string): void => {
      const text = stripVTControlCharacters(line).slice(0, LONGEST_OUTPUT);
      if (text.trim() !== '') log.warn('the process that runs the model says', { text });
    };
    const options = { load: model.load, loadTimeoutMs, runTimeoutMs, onOutput };
    this.#process = new ExecutorProcess(options, (ended, how) => {
      // A process that ends before it was ready is the business of whoever awaits that.
      if (ended === this.#process && this.state === 'ready')
        this.#replace(`the process that runs the model ${how}`, model);
    });
    return this.#process;
  }

  #becomeReady(process: ExecutorProcess, ready: ReadyMessage): void {
    const { provider, passedOver, signature, batchProfile } = ready;
    this.signature = signature;
    this.provider = provider;
    this.batchProfile = batchProfile;
    this.#readySince = performance.now();
    this.#options.log.info('the model is loaded and warm', {
      executionProvider: provider,
      ...(passedOver.length === 0 ? {} : { passedOver }),
      executorProcessId: process.processId,
      unbatchedBecause: batchProfile.refusal,
    });
    this.#change('ready');
  }

  #replace(why: string, model: ModelToRun): void {
    if (this.state === 'closed') return;
    const hasBeenStable = performance.now() - this.#readySince > STABLE_AFTER_MS;
    this.#consecutiveLosses = hasBeenStable ? 1 : this.#consecutiveLosses + 1;
    const delayMs = restartDelayMs(this.#consecutiveLosses);
    this.#options.log.error(`${why}; restarting it`, {
      consecutiveLosses: this.#consecutiveLosses,
      delayMs,
    });
    this.#process = undefined;
    this.#options.onRestart();
    this.#restartTimer = setTimeout(() => void this.#restart(model), delayMs);
    this.#change(isWorthWaiting(delayMs) ? 'restarting' : 'down');
  }

  async #restart(model: ModelToRun): Promise<void> {
    try {
      await model.verifyUnchanged();
    } catch (error) {
      this.#options.onFatal(error);
      return;
    }
    if (this.state === 'closed') return;
    const next = this.#spawn(model);
    let ready: ReadyMessage;
    try {
      ready = await next.ready;
    } catch (error) {
      await next.close();
      this.#replace((error as Error).message, model);
      return;
    }
    this.#becomeReady(next, ready);
  }
}
