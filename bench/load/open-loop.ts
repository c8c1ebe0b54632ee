import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Dice } from '../../test/support/dice.ts';
import type { Client } from './client.ts';
import { quantileOf } from '../measure.ts';

export interface OfferedLoad {
  readonly perSecond: number;
  readonly durationMs: number;
  /** An answer that comes later than this after its request was due is of no use any more. */
  readonly deadlineMs: number;
  /** As many as a busy ingress keeps open where nothing else is said; what is due beyond waits here, and its clock runs. */
  readonly mostConnections?: number;
}

export interface OpenLoopResult {
  readonly offered: number;
  /** Answers of the model within the deadline, of all that were offered. */
  readonly inTime: number;
  readonly late: number;
  /** As inTime and late, from the moment the request was sent: what waits here for a connection no server can know of. */
  readonly sentInTime: number;
  readonly sentLate: number;
  /** Refused by the server with a status of its own, at once or later. */
  readonly refused: number;
  readonly failed: number;
  /** Of the answers of the model, from the moment the request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const MOST_CONNECTIONS = 256;
const SETTLE_MS = 500;

/** Requests of many independent users: they come when they come, however the server does (a Poisson process). */
class OpenLoop {
  readonly #connect: () => Client;
  readonly #load: OfferedLoad;
  readonly #clients = new Set<Client>();
  readonly #idle: Client[] = [];
  readonly #backlog: number[] = [];
  #backlogStart = 0;
  #offered = 0;
  #refused = 0;
  #failed = 0;
  readonly #latenciesMs: number[] = [];
  #sentInTime = 0;

  constructor(connect: () => Client, load: OfferedLoad) {
    this.#connect = connect;
    this.#load = load;
  }

  async run(dice: Dice): Promise<OpenLoopResult> {
    let dueMs = performance.now();
    for (const endMs = dueMs + this.#load.durationMs; dueMs < endMs;) {
      // All that is due by now and no more: answers must be read meanwhile, however late this loop is.
      for (const nowMs = performance.now(); dueMs < Math.min(nowMs, endMs);) {
        this.#arrive(dueMs);
        dueMs += this.#gapMs(dice);
      }
      await turn();
    }
    const giveUpMs = performance.now() + this.#load.deadlineMs + SETTLE_MS;
    while (this.#open > 0 && performance.now() < giveUpMs) await pause(5);
    for (const client of this.#clients) client.close();
    return this.#result();
  }

  get #open(): number {
    return this.#offered - this.#latenciesMs.length - this.#refused - this.#failed;
  }

  #gapMs(dice: Dice): number {
    return (-Math.log(1 - dice.next()) / this.#load.perSecond) * 1000;
  }

  #arrive(dueMs: number): void {
    this.#offered++;
    const client = this.#idle.pop() ?? this.#openClient();
    if (client === undefined) this.#backlog.push(dueMs);
    else void this.#serve(client, dueMs);
  }

  #openClient(): Client | undefined {
    if (this.#clients.size >= (this.#load.mostConnections ?? MOST_CONNECTIONS)) return undefined;
    const client = this.#connect();
    this.#clients.add(client);
    return client;
  }

  async #serve(client: Client, firstDueMs: number): Promise<void> {
    for (let dueMs: number | undefined = firstDueMs; dueMs !== undefined; dueMs = this.#nextWaiting()) {
      try {
        const sentMs = performance.now();
        if ((await client.ask()) === 200) this.#answered(dueMs, sentMs);
        else this.#refused++;
      } catch {
        this.#failed++;
        this.#clients.delete(client);
        return;
      }
    }
    this.#idle.push(client);
  }

  #answered(dueMs: number, sentMs: number): void {
    const nowMs = performance.now();
    this.#latenciesMs.push(nowMs - dueMs);
    if (nowMs - sentMs <= this.#load.deadlineMs) this.#sentInTime++;
  }

  #nextWaiting(): number | undefined {
    return this.#backlogStart < this.#backlog.length ? this.#backlog[this.#backlogStart++] : undefined;
  }

  #result(): OpenLoopResult {
    const sorted = this.#latenciesMs.toSorted((left, right) => left - right);
    const inTime = sorted.filter((latencyMs) => latencyMs <= this.#load.deadlineMs).length;
    return {
      offered: this.#offered,
      inTime,
      late: sorted.length - inTime + this.#open,
      sentInTime: this.#sentInTime,
      sentLate: sorted.length - this.#sentInTime + this.#open - (this.#backlog.length - this.#backlogStart),
      refused: this.#refused,
      failed: this.#failed,
      p50Ms: quantileOf(sorted, 0.5),
      p99Ms: quantileOf(sorted, 0.99),
    };
  }
}

export function openLoop(connect: () => Client, load: OfferedLoad, dice: Dice): Promise<OpenLoopResult> {
  return new OpenLoop(connect, load).run(dice);
}
