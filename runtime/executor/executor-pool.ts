import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { ModelSignature } from '../tensor/datatype.ts';
import type { ExecutionProvider } from './execution-providers.ts';
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

  /** `most`: how many can be started. */
  constructor(most: number, options: SupervisorOptions) {
    this.executors = Array.from({ length: most }, () => new ExecutorSupervisor(options));
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
  async start(count: number, model: ModelToRun): Promise<void> {
    const [first, ...others] = this.executors.slice(0, count);
    await first?.start(model);
    void this.#startOthers(others, model);
  }

  onStateChange(listener: () => void): void {
    for (const executor of this.executors) executor.onStateChange(listener);
  }

  scraped(labels: Labels): readonly ScrapedMetric[] {
    return [
      {
        name: 'headgate_executors_ready',
        help: 'Processes that can run the model now, by the execution provider on which they run it.',
        type: 'gauge',
        read: () =>
          this.#countReady().map(([provider, value]) => ({ labels: { ...labels, provider }, value })),
      },
    ];
  }

  async close(): Promise<void> {
    await Promise.all(this.executors.map((executor) => executor.close()));
  }

  #countReady(): [provider: ExecutionProvider, ready: number][] {
    const counts = new Map<ExecutionProvider, number>();
    for (const { provider, state } of this.executors) {
      if (provider !== undefined)
        counts.set(provider, (counts.get(provider) ?? 0) + (state === 'ready' ? 1 : 0));
    }
    return [...counts];
  }

  async #startOthers(others: readonly ExecutorSupervisor[], model: ModelToRun): Promise<void> {
    for (const executor of others) await executor.startBeside(model);
  }
}
