import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { plainConnection } from '../../operator/controller/connection.ts';
import { ListWatch } from '../../operator/controller/list-watch.ts';
import type { ListWatchTiming } from '../../operator/controller/list-watch-timing.ts';
import { ObjectStore } from '../../operator/controller/object-store.ts';
import { createTransport } from '../../operator/controller/transport.ts';
import { waitFor } from '../bed/wait.ts';
import { trimThing } from '../support/fault-server/wire.ts';
import { Follower } from './follower.ts';
import type { Answer, Command, ServerReport, SoakOptions } from './protocol.ts';

/** As short as the server's whole seconds allow. */
export const scaledTiming: ListWatchTiming = {
  ...{ watchSeconds: 1, idleMs: 2_000, listIdleMs: 2_000 },
  ...{ firstBackoffMs: 5, lastBackoffMs: 100, missingMs: 10, restoredAfterMs: 300, restoredAfterLists: 3 },
};

/** What the process under test takes at a moment at which it holds what it should. */
export interface Sample {
  readonly events: number;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly descriptors: number;
}

export interface SoakReport {
  readonly seconds: number;
  readonly servers: readonly ServerReport[];
  readonly changesTold: number;
  /** How often a restored world was taken over. */
  readonly takenOver: number;
  readonly problems: readonly string[];
  readonly samples: readonly Sample[];
}

interface Watched {
  readonly listWatch: ListWatch;
  readonly store: ObjectStore;
  readonly follower: Follower;
}

/** Once nothing breaks any more: the longest watch that is half open, and a wide margin for a busy machine. */
const LONGEST_CATCH_UP_MS = 60_000;

/** Hurts list-watches until so many events were sent, and looks again and again whether they hold the truth. */
export async function soak(
  options: SoakOptions,
  onSample: (sample: Sample) => void = () => undefined,
): Promise<SoakReport> {
  const startedAtMs = performance.now();
  const child = fork(join(import.meta.dirname, 'server-process.ts'), [JSON.stringify(options)], {
    execArgv: [],
  });
  try {
    const { urls } = await next(child, 'started');
    const campaign = new Campaign({ child, urls, options, onSample });
    const servers = await campaign.run();
    const seconds = (performance.now() - startedAtMs) / 1000;
    return { seconds, servers, ...campaign.result() };
  } finally {
    child.kill();
  }
}

interface CampaignOptions {
  readonly child: ChildProcess;
  readonly urls: readonly string[];
  readonly options: SoakOptions;
  readonly onSample: (sample: Sample) => void;
}

class Campaign {
  private readonly child: ChildProcess;
  private readonly options: SoakOptions;
  private readonly watched: readonly Watched[];
  private readonly samples: Sample[] = [];
  private readonly problems: string[] = [];
  private readonly onSample: (sample: Sample) => void;
  private takenOver = 0;

  constructor({ child, urls, options, onSample }: CampaignOptions) {
    this.child = child;
    this.options = options;
    this.onSample = onSample;
    this.watched = urls.map((url, index) => this.watch(url, index < options.kinds ? scaledTiming : {}));
  }

  async run(): Promise<readonly ServerReport[]> {
    for (const { listWatch } of this.watched) listWatch.start();
    try {
      const { events, checkpoints } = this.options;
      for (let checkpoint = 0; checkpoint < checkpoints; checkpoint += 1) {
        this.child.send({ do: 'change', events: events / checkpoints } satisfies Command);
        await next(this.child, 'changed');
        await this.check(await this.rest());
      }
      return await this.realTime();
    } finally {
      await Promise.all(this.watched.map(({ listWatch }) => listWatch.stop()));
    }
  }

  result(): Pick<SoakReport, 'changesTold' | 'takenOver' | 'problems' | 'samples'> {
    const { takenOver, samples } = this;
    const problems = [...this.problems, ...this.watched.flatMap(({ follower }) => follower.problems)];
    const changesTold = this.watched.reduce((sum, { follower }) => sum + follower.changes, 0);
    return { changesTold, takenOver, problems, samples };
  }

  private watch(url: string, timing: Partial<ListWatchTiming>): Watched {
    const store = new ObjectStore(() => undefined);
    const follower = new Follower();
    const listWatch = new ListWatch({
      ...{ store, timing, trim: trimThing, type: { apiVersion: 'v1', kind: 'Pod', plural: 'pods' } },
      transport: createTransport(plainConnection(url)),
      onChange: (change) => follower.hear(change),
      onTrouble: (_, error) => {
        if (error instanceof Error && error.name === 'RestoredError') this.takenOver += 1;
      },
    });
    return { listWatch, store, follower };
  }

  private async rest(): Promise<readonly ServerReport[]> {
    this.child.send({ do: 'rest' } satisfies Command);
    return (await next(this.child, 'resting')).reports;
  }

  /** Everything that is true now is known soon: nothing was missed. */
  private async check(reports: readonly ServerReport[]): Promise<void> {
    const differences = (): string[] =>
      this.watched.flatMap(({ follower, store }, index) => [
        ...follower.differences(reports[index]?.things ?? [], store),
      ]);
    await waitFor('all is known', () => differences().length === 0, {
      timeoutMs: LONGEST_CATCH_UP_MS,
      everyMs: 200,
    }).catch(() => this.problems.push(...differences().slice(0, 5)));
    const taken = sample(reports.reduce((sum, { eventsSent }) => sum + eventsSent, 0));
    this.samples.push(taken);
    this.onSample(taken);
  }

  /** The half-open watches with the timing of production take as long as they take. */
  private async realTime(): Promise<readonly ServerReport[]> {
    const { halfOpenInRealTime: expected } = this.options;
    const noticed = async (): Promise<readonly ServerReport[] | undefined> => {
      const reports = await this.rest();
      const [quiet] = reports.slice(this.options.kinds);
      return quiet === undefined || quiet.halfOpen >= expected ? reports : undefined;
    };
    return await waitFor('every half-open watch is noticed', noticed, {
      timeoutMs: (expected + 1) * 60_000,
      everyMs: 2_000,
    });
  }
}

async function next<Is extends Answer['is']>(
  child: ChildProcess,
  is: Is,
): Promise<Extract<Answer, { is: Is }>> {
  const [answer] = (await once(child, 'message')) as [Answer];
  if (answer.is !== is) throw new Error(`the servers say ${answer.is} where ${is} is expected`);
  return answer as Extract<Answer, { is: Is }>;
}

function sample(events: number): Sample {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const descriptors = readdirSync('/proc/self/fd').length;
  return { events, rssMib: rss / 2 ** 20, heapMib: heapUsed / 2 ** 20, descriptors };
}
