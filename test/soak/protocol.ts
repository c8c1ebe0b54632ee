import type { ListFault, WatchFault } from '../support/fault-server/faults.ts';
import type { Thing } from '../support/fault-server/truth.ts';

export interface SoakOptions {
  readonly seed: number;
  /** So many events are sent on watches, of all kinds together. */
  readonly events: number;
  /** How many kinds are hurt all the time, each by a server of its own. */
  readonly kinds: number;
  /** Names that objects of one kind come and go under. */
  readonly names: number;
  /** A watch breaks after so many events, on average. */
  readonly eventsPerFault: number;
  /** Each cluster is restored from a backup after so many of its changes. */
  readonly changesPerRestore: number;
  /** One more kind is watched with the timing of production, and its watches are left half open so often. */
  readonly halfOpenInRealTime: number;
  /** How often all is left alone and compared with the truth. */
  readonly checkpoints: number;
}

export type Command = { readonly do: 'change'; readonly events: number } | { readonly do: 'rest' };

/** What one server says of itself once it rests: nothing is changed, and nothing breaks any more. */
export interface ServerReport {
  readonly url: string;
  readonly things: readonly Thing[];
  readonly version: number;
  readonly eventsSent: number;
  readonly lists: number;
  readonly watches: number;
  readonly restores: number;
  readonly faults: Readonly<Partial<Record<WatchFault | `list: ${ListFault}`, number>>>;
  readonly longestNoticeMs: number;
  readonly halfOpen: number;
}

export type Answer =
  | { readonly is: 'started'; readonly urls: readonly string[] }
  | { readonly is: 'changed' }
  | { readonly is: 'resting'; readonly reports: readonly ServerReport[] };
