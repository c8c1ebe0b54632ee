import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { listFaults, watchFaults, type ListFault, type WatchFault } from '../support/fault-server/faults.ts';
import type { FaultServer } from '../support/fault-server/fault-server.ts';
import { type FaultPlan } from '../support/fault-server/fault-server.ts';
import { Deck } from './deck.ts';
import type { Dice } from '../support/dice.ts';
import type { ServerReport, SoakOptions } from './protocol.ts';

const LARGEST_BACKLOG_BYTES = 2 ** 20;
const CHANGES_PER_TURN = 20;
/** While nobody listens, little happens: what is not sent does not count. */
const CHANGES_UNHEARD = 5;
/** No cluster is restored without being away; longer than from the end of a list to the watch after it. */
const AWAY_MS = 300;
/** Long enough for whoever waits for something else to come and look several times. */
const STANDS_STILL_MS = 2_000;
/** These cost seconds each. */
const slow: ReadonlySet<string> = new Set(['silence', 'no answer', 'status 429'] satisfies WatchFault[]);

/** A fault server whose objects change all the time and whose answers break at random. */
export class HurtServer {
  readonly server: FaultServer;
  private readonly options: SoakOptions;
  private readonly dice: Dice;
  private readonly watchFaults: Deck<WatchFault>;
  private readonly listFaults: Deck<ListFault>;
  private readonly faults: Record<string, number> = {};
  private restores = 0;
  private changes = 0;
  private lives = 0;

  constructor(server: FaultServer, options: SoakOptions, dice: Dice) {
    this.server = server;
    this.options = options;
    this.dice = dice;
    this.watchFaults = new Deck(watchFaults.map(rareIfSlow), dice);
    this.listFaults = new Deck(listFaults.map(rareIfSlow), dice);
  }

  /** Until so many more events have been sent. */
  async change(events: number): Promise<void> {
    this.server.plan = this.hurting();
    const target = this.server.eventsSent + events;
    while (this.server.eventsSent < target) {
      const isHeard = this.server.openWatches > 0 && this.server.backlog < LARGEST_BACKLOG_BYTES;
      for (let left = isHeard ? CHANGES_PER_TURN : CHANGES_UNHEARD; left > 0; left -= 1) this.changeOne();
      if (this.changes > (this.restores + 1) * this.options.changesPerRestore) await this.restore();
      await (isHeard ? turn() : pause(5));
    }
  }

  /** Nothing is changed any more, and nothing breaks. */
  rest(): void {
    this.server.plan = { watchFault: () => undefined, listFault: () => undefined };
  }

  report(): ServerReport {
    const { server } = this;
    const { version, things } = server.truth.snapshot();
    const { url, eventsSent, lists, watches, noticedMs } = server;
    return {
      ...{ url, things, version, eventsSent, lists, watches },
      ...{ restores: this.restores, faults: this.faults },
      ...{ longestNoticeMs: Math.max(0, ...noticedMs), halfOpen: noticedMs.length },
    };
  }

  private hurting(): FaultPlan {
    const { dice } = this;
    return {
      watchFault: () => {
        const fault = this.watchFaults.deal();
        this.count(fault);
        return { fault, afterEvents: dice.below(2 * this.options.eventsPerFault) };
      },
      listFault: () => {
        // On a slow machine lists are few: all of them are hurt until every fault has come once.
        if (this.listFaults.hasDealtAll && !this.happens(0.3)) return undefined;
        const fault = this.listFaults.deal();
        this.count(`list: ${fault}`);
        return fault;
      },
    };
  }

  private happens(probability: number): boolean {
    return this.dice.next() < probability;
  }

  private count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  private changeOne(): void {
    this.changes += 1;
    const { dice, server } = this;
    const name = `thing-${dice.below(this.options.names)}`;
    const uid = server.truth.get(name)?.uid;
    if (uid !== undefined && this.happens(0.1)) server.remove(name);
    else server.put(name, uid ?? this.nextUid());
    if (this.happens(0.0005)) server.remember();
    if (this.happens(0.0001)) server.truth.forget();
  }

  private nextUid(): string {
    this.lives += 1;
    return String(this.lives);
  }

  /** By turns the new world stands still for a while, and goes on at once, perhaps past all that the old one knew. */
  private async restore(): Promise<void> {
    this.restores += 1;
    this.server.refuseWith = 503;
    await pause(AWAY_MS);
    this.server.restore();
    this.server.refuseWith = undefined;
    if (this.restores % 2 === 1) await pause(STANDS_STILL_MS);
  }
}

function rareIfSlow<Fault extends string>(fault: Fault): { readonly item: Fault; readonly copies: number } {
  return { item: fault, copies: slow.has(fault) ? 1 : 3 };
}
