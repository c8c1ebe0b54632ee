import type { StrategyName } from '../../../operator/strategies/index.ts';

/** What becomes of one write of the operator. */
export const writeFaults = ['answer 409', 'answer 429', 'answer 500', 'lost reply'] as const;
export type WriteFault = (typeof writeFaults)[number];

/**
 * The operator is killed with a write that has not left, or with one that was carried out and not answered; a stale
 * start is the second, and its successor begins with lists that are older than that write.
 */
export const crashFaults = ['crash before', 'crash after', 'stale start'] as const;
export type CrashFault = (typeof crashFaults)[number];

/**
 * What becomes of one event. A stream that goes on as if an event had never been is what no API server sends: the
 * version of the next one says that all before it was told. A server that loses an event ends the watch, as for a
 * client that is too slow or when it ends itself. So `dropped` is a watch that ends just before the event, which the
 * next list has to bring; with `stale list` that list is one of a while ago. `delayed` holds up the whole kind, since
 * the events of one kind have one order, and all other kinds go on.
 */
export const eventFaults = ['dropped', 'delayed', 'duplicated', 'stale list'] as const;
export type EventFault = (typeof eventFaults)[number];

export type Fault = WriteFault | CrashFault | EventFault;
export const faults: readonly Fault[] = [...crashFaults, ...writeFaults, ...eventFaults];

/** One rollout that meets one fault once, at the write or the event with this key. */
export interface Case {
  readonly strategy: StrategyName;
  readonly fault: Fault;
  readonly key: string;
}

export function isOne<Kind extends string>(kinds: readonly Kind[], value: string | undefined): value is Kind {
  return kinds.some((kind) => kind === value);
}
