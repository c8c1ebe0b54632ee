import type { ModelSignature } from '../tensor/datatype.ts';
import { ExecutorSupervisor, type ModelToRun, type SupervisorOptions } from './supervisor.ts';

/** The model, whichever of its executors runs it. */
export interface ServedModel {
  /** At least one executor can run it. */
  readonly isReady: boolean;
  /** Undefined until it has been loaded once. */
  readonly signature: ModelSignature | undefined;
  onStateChange(listener: () => void): void;
}

/** Several executors of one model, each a process of its own: while one is left, the model is served. */
export class ExecutorPool implements ServedModel {
  readonly executors: readonly ExecutorSupervisor[];

  constructor(size: number, options: SupervisorOptions) {
    this.executors = Array.from({ length: size }, () => new ExecutorSupervisor(options));
  }

  get isReady(): boolean {
    return this.executors.some(({ state }) => state === 'ready');
  }

  get signature(): ModelSignature | undefined {
    return this.executors.find(({ signature }) => signature !== undefined)?.signature;
  }

  /**
   * Resolves with the first that is ready; the others follow one by one, since loading takes memory and cores. Rejects
   * with StartFailure when the model cannot be served at all.
   */
  async start(model: ModelToRun): Promise<void> {
    const [first, ...others] = this.executors;
    await first?.start(model);
    void this.#startOthers(others, model);
  }

  onStateChange(listener: () => void): void {
    for (const executor of this.executors) executor.onStateChange(listener);
  }

  async close(): Promise<void> {
    await Promise.all(this.executors.map((executor) => executor.close()));
  }

  async #startOthers(others: readonly ExecutorSupervisor[], model: ModelToRun): Promise<void> {
    for (const executor of others) await executor.startBeside(model);
  }
}
