import { setTimeout as rest } from 'node:timers/promises';
import { ApiError } from './errors.ts';
import { groupVersionPath } from './resource-type.ts';
import type { Transport } from './transport.ts';

export interface DiscoveryOptions {
  readonly transport: Transport;
  /** The cluster began or ceased to serve a group and version that had been asked for. */
  readonly onChange: (groupVersion: string, served: boolean) => void;
  readonly everyMs?: number;
}

const EVERY_MS = 10_000;

/**
 * Which APIs without objects to watch the cluster serves. Passes read what is known; one round asks again for all of
 * them, so that an API that is installed late is noticed although nothing else happens.
 */
export class Discovery {
  private readonly options: DiscoveryOptions;
  private readonly known = new Map<string, boolean>();
  private readonly firstAnswers = new Map<string, Promise<boolean>>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(options: DiscoveryOptions) {
    this.options = options;
  }

  /** Throws when the first question finds no answer at all. */
  async serves(groupVersion: string): Promise<boolean> {
    const known = this.known.get(groupVersion);
    if (known !== undefined) return known;
    const asking = this.firstAnswers.get(groupVersion) ?? this.ask(groupVersion);
    this.firstAnswers.set(groupVersion, asking);
    try {
      const served = await asking;
      this.known.set(groupVersion, served);
      return served;
    } finally {
      this.firstAnswers.delete(groupVersion);
    }
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await Promise.all([...this.known].map(([name, known]) => this.review(name, known)));
      await this.pause();
    }
  }

  private async pause(): Promise<void> {
    const { signal } = this.stopping;
    await rest(this.options.everyMs ?? EVERY_MS, undefined, { signal }).catch(() => undefined);
  }

  private async review(groupVersion: string, known: boolean): Promise<void> {
    // Whoever is not answered learns nothing: what was so is taken to be so still.
    const served = await this.ask(groupVersion, known).catch(() => known);
    if (served === known) return;
    this.known.set(groupVersion, served);
    this.options.onChange(groupVersion, served);
  }

  /**
   * 404 means: not installed. 503 comes while a registered API's own server is away, and while the API server itself
   * starts: neither is a reason to think anew, or every autoscaler would be rewritten twice.
   */
  private async ask(groupVersion: string, known = true): Promise<boolean> {
    try {
      await this.options.transport.request({ method: 'GET', path: groupVersionPath(groupVersion) });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      if (error instanceof ApiError && error.status === 503) return known;
      throw error;
    }
  }
}
