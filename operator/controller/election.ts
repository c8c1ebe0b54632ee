import {
  failed,
  granted,
  leads,
  newCandidacy,
  nextStep,
  seen,
  steppedDown,
  type Candidacy,
  type LeaseRecord,
  type LeaseTiming,
} from './candidacy.ts';
import { isConflict, isNotFound } from './errors.ts';
import { claimedSpec, leaseType, readLease } from './lease.ts';
import { ListWatch } from './list-watch.ts';
import type { KubernetesObject } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { collectionPath, objectPath } from './resource-type.ts';
import { Term } from './term.ts';
import type { Transport } from './transport.ts';

export interface ElectionOptions {
  readonly transport: Transport;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unlike that of any other process, past or present. */
  readonly identity: string;
  readonly timing: LeaseTiming;
  readonly onElected: (term: Term) => void;
  /** The term is over, and was not ended by `resign`. */
  readonly onDeposed: () => void;
  /** The Lease could not be read, watched or written; the next attempt follows by itself. */
  readonly onTrouble: (error: unknown) => void;
}

/** Stands for election for as long as the process lives: watches the Lease, claims it when it is free, renews it. */
export class Election {
  private readonly options: ElectionOptions;
  private readonly store = new ObjectStore(() => undefined);
  private readonly listWatch: ListWatch;
  private candidacy: Candidacy;
  private term: Term | undefined;
  private running: Promise<void> | undefined;
  private isResigning = false;
  private isStopping = false;
  private wake: () => void = () => undefined;

  constructor(options: ElectionOptions) {
    const { transport, lease, identity, timing } = options;
    this.options = options;
    this.candidacy = newCandidacy(identity, timing);
    this.listWatch = new ListWatch({
      ...{ transport, type: leaseType, store: this.store, namespace: lease.namespace },
      ...selection(lease),
      trim: (_, raw) => asLease(raw),
      // Renewals come more often: a silence that is longer is a broken connection.
      timing: { idleMs: timing.durationMs, lastBackoffMs: timing.retryMs },
      onChange: () => this.look(),
      onServed: () => this.look(),
      onTrouble: (_, error) => options.onTrouble(error),
    });
  }

  get isLeading(): boolean {
    return this.term?.isOver === false;
  }

  start(): void {
    this.listWatch.start();
    this.running ??= this.run();
  }

  /**
   * Ends the term: nothing more is written, what is under way is waited for, and only then is the Lease freed, so that
   * a successor that follows it begins at once.
   */
  async resign(): Promise<void> {
    this.isResigning = true;
    this.term?.end();
    await this.term?.answered();
    this.isStopping = true;
    this.wake();
    await this.running;
    await this.release();
    await this.listWatch.stop();
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      const step = nextStep(this.candidacy, performance.now());
      if (step.kind === 'StepDown') this.stepDown();
      else if (step.kind === 'Claim' && !this.isCandidateNoMore()) await this.claim(step.over);
      else await this.rest(step.kind === 'Wait' ? step.untilMs : Number.POSITIVE_INFINITY);
    }
  }

  /** Whoever resigns renews what it holds until its writes are answered, and claims nothing else. */
  private isCandidateNoMore(): boolean {
    return this.isResigning && this.candidacy.leadsUntilMs === undefined;
  }

  private async claim(over: LeaseRecord | undefined): Promise<void> {
    const { timing } = this.candidacy;
    const sentAtMs = performance.now();
    try {
      const lease = await this.write(over, this.claimedSpec(over));
      this.candidacy = granted(this.candidacy, lease, sentAtMs);
      this.look();
      this.lead();
    } catch (error) {
      const restMs = timing.retryMs * (0.5 + Math.random());
      this.candidacy = failed(this.candidacy, performance.now() + restMs);
      if (isConflict(error) || isNotFound(error)) await this.ask();
      else this.options.onTrouble(error);
    }
  }

  private lead(): void {
    const { leadsUntilMs = Number.NEGATIVE_INFINITY } = this.candidacy;
    if (this.term !== undefined) {
      this.term.extend(leadsUntilMs);
      return;
    }
    if (!leads(this.candidacy, performance.now())) return;
    this.term = new Term(leadsUntilMs);
    this.options.onElected(this.term);
  }

  private stepDown(): void {
    this.candidacy = steppedDown(this.candidacy);
    const { term } = this;
    this.term = undefined;
    term?.end();
    if (term !== undefined && !this.isResigning) this.options.onDeposed();
  }

  private async release(): Promise<void> {
    const { sight } = this.candidacy;
    if (sight?.lease === undefined || !leads(this.candidacy, performance.now())) return;
    await this.write(sight.lease, { holderIdentity: null }).catch(this.options.onTrouble);
  }

  private claimedSpec(over: LeaseRecord | undefined): object {
    const { identity, timing } = this.candidacy;
    return claimedSpec({ identity, over, durationMs: timing.durationMs, nowMs: Date.now() });
  }

  private async write(over: LeaseRecord | undefined, spec: object): Promise<LeaseRecord> {
    const { transport, lease, timing } = this.options;
    const { namespace, name } = lease;
    const signal = attempt(timing);
    const answer =
      over === undefined
        ? await transport.request({
            ...{ method: 'POST', path: collectionPath(leaseType, namespace), signal },
            body: { ...typeMeta, metadata: { name, namespace }, spec },
          })
        : await transport.request({
            ...{ method: 'PATCH', path: objectPath(leaseType, namespace, name), signal },
            contentType: 'application/merge-patch+json',
            body: { metadata: { resourceVersion: over.resourceVersion }, spec },
          });
    const object = asLease(answer);
    this.store.put(object);
    return readLease(object);
  }

  /** Reads the Lease, for whoever learns from a refusal that his watch is behind. */
  private async ask(): Promise<void> {
    const { transport, lease, timing } = this.options;
    const [path, query] = [collectionPath(leaseType, lease.namespace), selection(lease)];
    try {
      const answer = await transport.request({ method: 'GET', path, query, signal: attempt(timing) });
      const { items, metadata } = answer as LeaseList;
      this.store.replace((items ?? []).map(asLease), metadata.resourceVersion);
      this.look();
    } catch (error) {
      this.options.onTrouble(error);
    }
  }

  /** Takes in what the store holds: it never goes back to an older version. */
  private look(): void {
    if (this.listWatch.isServed === undefined) return;
    const { namespace, name } = this.options.lease;
    const object = this.store.get(namespace, name);
    const lease = object === undefined ? undefined : readLease(object);
    this.candidacy = seen(this.candidacy, lease, performance.now());
    this.wake();
  }

  /** Until then, or until something was seen. */
  private async rest(untilMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (Number.isFinite(untilMs)) timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()));
    });
    clearTimeout(timer);
  }
}

/** Two attempts fit into the time before the term is over, the second on a new connection. */
function attempt({ renewWithinMs }: LeaseTiming): AbortSignal {
  return AbortSignal.timeout(Math.floor(renewWithinMs / 2));
}

interface LeaseList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly unknown[] | null;
}

/** Rights that are bound to a name cover lists and watches of that name alone. */
function selection({ name }: ElectionOptions['lease']): { readonly fieldSelector: string } {
  return { fieldSelector: `metadata.name=${name}` };
}

const typeMeta = { apiVersion: leaseType.apiVersion, kind: leaseType.kind };

function asLease(raw: unknown): KubernetesObject {
  return { ...(raw as KubernetesObject), ...typeMeta };
}
