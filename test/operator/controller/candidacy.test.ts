import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  failed,
  granted,
  leads,
  leaseTiming,
  newCandidacy,
  nextStep,
  seen,
  steppedDown,
  type Candidacy,
  type LeaseRecord,
  type Step,
} from '../../../operator/controller/candidacy.ts';

const timing = leaseTiming(15_000);

function lease(version: number, holder: string | undefined, durationMs = 15_000): LeaseRecord {
  return { resourceVersion: String(version), holder, durationMs, transitions: 0 };
}

const fresh = newCandidacy('us', timing);
const ours = lease(7, 'us');
const theirs = lease(7, 'them');
const leading = granted(fresh, ours, 1_000);

describe('a candidate', () => {
  const situations: readonly [string, Candidacy, number, Step][] = [
    ['waits for its first look at the Lease', fresh, 0, { kind: 'Wait', untilMs: Number.POSITIVE_INFINITY }],
    [
      'claims a free Lease at once',
      seen(fresh, lease(3, undefined), 10),
      10,
      { kind: 'Claim', over: lease(3, undefined) },
    ],
    [
      'waits for as long as another holds it',
      seen(fresh, theirs, 100),
      9_000,
      { kind: 'Wait', untilMs: 15_100 },
    ],
    [
      'claims it when it has seen no change for the duration',
      seen(fresh, theirs, 100),
      15_100,
      { kind: 'Claim', over: theirs },
    ],
    [
      'waits for as long as the holder asks, if that is longer than its own duration',
      seen(fresh, lease(7, 'them', 60_000), 0),
      15_000,
      { kind: 'Wait', untilMs: 60_000 },
    ],
    [
      'waits its own duration, if the holder asks for less',
      seen(fresh, lease(7, 'them', 1_000), 0),
      1_000,
      { kind: 'Wait', untilMs: 15_000 },
    ],
    [
      'takes the same version seen again for no sign of life',
      seen(seen(fresh, theirs, 100), theirs, 9_000),
      15_100,
      { kind: 'Claim', over: theirs },
    ],
    [
      'takes another version for one',
      seen(seen(fresh, theirs, 100), lease(8, 'them'), 9_000),
      15_100,
      { kind: 'Wait', untilMs: 24_000 },
    ],
    [
      'makes a Lease that somebody removed, once whoever held it has stopped',
      seen(seen(fresh, theirs, 100), undefined, 2_000),
      17_000,
      { kind: 'Claim', over: undefined },
    ],
    [
      'claims again at once what is its own already, since the answer to a claim was lost',
      seen(fresh, ours, 100),
      100,
      { kind: 'Claim', over: ours },
    ],
    [
      'rests after a claim that failed',
      failed(seen(fresh, lease(3, undefined), 0), 2_500),
      100,
      { kind: 'Wait', untilMs: 2_500 },
    ],
  ];

  it.each(situations)('%s', (_, candidacy, nowMs, step) => {
    expect(nextStep(candidacy, nowMs)).toEqual(step);
    expect(leads(candidacy, nowMs)).toBe(false);
  });
});

describe('a leader', () => {
  const situations: readonly [string, Candidacy, number, Step][] = [
    ['rests until its next renewal', leading, 1_500, { kind: 'Wait', untilMs: 3_000 }],
    ['renews in time', leading, 3_000, { kind: 'Claim', over: ours }],
    ['tries again after a renewal that failed', failed(leading, 5_000), 5_000, { kind: 'Claim', over: ours }],
    [
      'is woken when its time is up, however long it would rest',
      failed(leading, 50_000),
      5_000,
      { kind: 'Wait', untilMs: 11_000 },
    ],
    [
      'steps down when its time is up, counted from the sending of its last renewal',
      leading,
      11_000,
      { kind: 'StepDown' },
    ],
    [
      'steps down when it sees another holder',
      seen(leading, lease(8, 'them'), 2_000),
      2_000,
      { kind: 'StepDown' },
    ],
    [
      'steps down when somebody has freed it',
      seen(leading, lease(8, undefined), 2_000),
      2_000,
      { kind: 'StepDown' },
    ],
    ['steps down when the Lease was removed', seen(leading, undefined, 2_000), 2_000, { kind: 'StepDown' }],
    [
      'is a candidate like any other afterwards',
      steppedDown(seen(leading, lease(8, 'them'), 2_000)),
      2_000,
      { kind: 'Wait', untilMs: 17_000 },
    ],
  ];

  it.each(situations)('%s', (_, candidacy, nowMs, step) => {
    expect(nextStep(candidacy, nowMs)).toEqual(step);
  });

  it('never takes itself for one beyond its time, however long it was stopped', () => {
    fc.assert(
      fc.property(fc.nat(30_000), (nowMs) => {
        expect(leads(leading, nowMs)).toBe(nowMs < 1_000 + timing.renewWithinMs);
      }),
    );
  });
});

/** A candidate on a machine whose clock started at another time and runs at another speed. */
interface Process {
  readonly offsetMs: number;
  readonly speed: number;
  candidacy: Candidacy;
  /** How many versions of the Lease it has seen: its watch may be late and never goes back. */
  heard: number;
  isClaiming: boolean;
  /** How often it has been set to wake; only the last time counts. */
  alarms: number;
}

interface Event {
  readonly atMs: number;
  readonly happen: () => void;
}

const LENGTH_MS = 200_000;
const GIVES_UP_AFTER_MS = timing.renewWithinMs / 2;

/** Two processes and the API server between them; every delay is the next number that was thrown. */
class TwoCandidates {
  takeovers = 0;
  nowMs = 0;
  private readonly thrown: number[];
  private readonly events: Event[] = [];
  private readonly versions: (LeaseRecord | undefined)[] = [lease(1, undefined)];
  private readonly processes: readonly Process[];

  constructor(
    clocks: readonly { readonly offsetMs: number; readonly speed: number }[],
    thrown: readonly number[],
  ) {
    this.thrown = [...thrown];
    this.processes = clocks.map((clock, index) => ({
      ...clock,
      candidacy: newCandidacy(`process-${index}`, timing),
      ...{ heard: 0, isClaiming: false, alarms: 0 },
    }));
    for (const process of this.processes) this.later(() => this.look(process, 1));
  }

  get leaders(): number {
    return this.processes.filter((process) => leads(process.candidacy, this.clock(process))).length;
  }

  /** The next event; false when it is over. */
  proceed(): boolean {
    this.events.sort((left, right) => left.atMs - right.atMs);
    const event = this.events.shift();
    if (event === undefined || event.atMs > LENGTH_MS) return false;
    this.nowMs = event.atMs;
    event.happen();
    return true;
  }

  private throw(): number {
    return this.thrown.shift() ?? 0;
  }

  /** Often at once, at times after seconds, now and then after longer than anything lasts here. */
  private later(happen: () => void, afterMs = 0): void {
    const number = this.throw();
    const delayMs = number % 4 < 2 ? 0 : number % (number % 4 === 2 ? 3_000 : 20_000);
    this.events.push({ atMs: this.nowMs + afterMs + delayMs, happen });
  }

  private clock({ offsetMs, speed }: Process): number {
    return offsetMs + this.nowMs * speed;
  }

  private look(process: Process, upTo: number): void {
    if (upTo <= process.heard) return;
    process.heard = upTo;
    process.candidacy = seen(process.candidacy, this.versions[upTo - 1], this.clock(process));
    this.step(process);
  }

  private step(process: Process): void {
    const nowMs = this.clock(process);
    const step = nextStep(process.candidacy, nowMs);
    if (step.kind === 'StepDown') {
      process.candidacy = steppedDown(process.candidacy);
      this.step(process);
    } else if (step.kind === 'Claim') {
      this.claim(process, step.over);
    } else if (Number.isFinite(step.untilMs)) {
      process.alarms += 1;
      const alarm = process.alarms;
      const wake = (): void => (alarm === process.alarms ? this.step(process) : undefined);
      this.later(wake, (step.untilMs - nowMs) / process.speed);
    }
  }

  private claim(process: Process, over: LeaseRecord | undefined): void {
    if (process.isClaiming) return;
    process.isClaiming = true;
    const sentAtMs = this.clock(process);
    let isOpen = true;
    const conclude = (candidacy: () => Candidacy): void => {
      if (!isOpen) return;
      [isOpen, process.isClaiming] = [false, false];
      process.candidacy = candidacy();
      this.step(process);
    };
    const fail = (): void => conclude(() => failed(process.candidacy, this.clock(process) + timing.retryMs));
    this.later(fail, GIVES_UP_AFTER_MS);
    this.later(() => {
      const claimed = this.land(over, process.candidacy.identity);
      const isLost = this.throw() % 8 === 7;
      if (claimed === undefined) this.later(() => this.learn(process, fail));
      else if (!isLost) this.later(() => conclude(() => this.grant(process, claimed, sentAtMs)));
    });
  }

  /** A refusal makes it read the Lease. */
  private learn(process: Process, fail: () => void): void {
    this.look(process, this.versions.length);
    fail();
  }

  private grant(process: Process, claimed: LeaseRecord, sentAtMs: number): Candidacy {
    process.heard = Math.max(process.heard, this.versions.indexOf(claimed) + 1);
    return granted(process.candidacy, claimed, sentAtMs);
  }

  /** The Lease as a claim leaves it, if it was made over the present version. */
  private land(over: LeaseRecord | undefined, identity: string): LeaseRecord | undefined {
    const present = this.versions.at(-1);
    if (present?.resourceVersion !== over?.resourceVersion) return undefined;
    if (present?.holder !== identity) this.takeovers += 1;
    const claimed = lease(this.versions.length + 1, identity);
    this.write(claimed);
    // Only once: an absence cannot be told from another.
    if (this.throw() % 32 === 31 && !this.versions.includes(undefined)) this.write(undefined);
    return claimed;
  }

  private write(version: LeaseRecord | undefined): void {
    const count = this.versions.push(version);
    for (const process of this.processes) this.later(() => this.look(process, count));
  }
}

describe('two candidates whose clocks differ by a fifth in speed', () => {
  const clock = fc.record({ offsetMs: fc.nat(1_000_000), speed: fc.constantFrom(0.9, 1, 1.1) });
  const thrown = fc.array(fc.nat(1_000_000), { minLength: 100, maxLength: 400 });

  it('never lead at the same time: whatever is late, lost, stopped or removed', () => {
    let takeovers = 0;
    fc.assert(
      fc.property(fc.tuple(clock, clock), thrown, (clocks, numbers) => {
        const world = new TwoCandidates(clocks, numbers);
        while (world.proceed()) if (world.leaders > 1) throw new Error(`two leaders at ${world.nowMs} ms`);
        takeovers += world.takeovers;
      }),
      { numRuns: 500 },
    );
    expect(takeovers).toBeGreaterThan(500);
  }, 60_000);
});
