import type { OpenLoopResult } from '../load/open-loop.ts';
import type { Measured } from '../measure.ts';
import type { WireName } from '../wire/wire.ts';

/** What was measured of one server with one model, the rounds in their order. */
export interface ModelResult {
  readonly model: string;
  readonly contender: string;
  readonly firstAnswerMs: number;
  readonly memoryAtRestMib: number;
  readonly closed: ClosedResult[];
  readonly equal: OpenResult[];
  readonly overload: OpenResult[];
  /** How long probes of its liveness took while it was as busy as can be. */
  readonly probesMs: number[];
}

export interface ClosedResult {
  readonly wire: WireName;
  readonly concurrency: number;
  readonly rounds: Measured[];
  /** Processor time that all processes of the server took for an answer, by round: what a busy machine hardly spoils. */
  readonly cpuUs: number[];
  /** Why there are no more rounds. */
  failure?: string;
}

export interface OpenResult {
  readonly perSecond: number;
  /** Of the server's own capacity; undefined: the same load for all. */
  readonly multiple: number | undefined;
  readonly rounds: OpenLoopResult[];
}

/** A server that takes no part, with its reason. */
export interface Absence {
  readonly model: string;
  readonly contender: string;
  readonly wire: WireName | undefined;
  readonly reason: string;
}

export interface RaceResult {
  readonly bare: { readonly model: string; readonly rounds: Measured[] }[];
  readonly results: ModelResult[];
  readonly absences: Absence[];
}
