import type { StrategyName } from '../../../../operator/strategies/index.ts';
import { waitFor } from '../../../bed/wait.ts';
import { joinKeys, type Recording } from '../../../support/fault-campaign/cases.ts';
import { crashFaults, isOne, type Case } from '../../../support/fault-campaign/faults.ts';
import { differences, type Outcome } from '../../../support/fault-campaign/outcome.ts';
import type { Verdict } from '../../../support/fault-campaign/report.ts';
import type { Installation } from '../installation.ts';
import type { OperatorProcess } from '../operator-process.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { World } from './world.ts';
import { Worlds } from './worlds.ts';

/** Below the 15 s after which the operator gives a request up: what is held is still waited for when it is killed. */
const LONGEST_HOLD_MS = 8_000;
/** A Lease that is shorter is lost now and then on a machine that is busy with others. */
const SETTINGS = { HEADGATE_CONCURRENCY: '64', HEADGATE_LEASE_SECONDS: '3' };

export interface Recorded extends Recording {
  readonly outcome: Outcome;
}

/** One operator behind the proxy, and worlds that meet their faults side by side. */
export class Campaign {
  private readonly installation: Installation;
  private readonly proxy: FaultProxy;
  private readonly worlds: Worlds;
  private readonly expected = new Map<StrategyName, Outcome>();
  private operator: OperatorProcess;

  private constructor(
    installation: Installation,
    parts: { readonly proxy: FaultProxy; readonly worlds: Worlds; readonly operator: OperatorProcess },
  ) {
    this.installation = installation;
    this.proxy = parts.proxy;
    this.worlds = parts.worlds;
    this.operator = parts.operator;
  }

  static async start(installation: Installation): Promise<Campaign> {
    const proxy = await FaultProxy.start(installation);
    const worlds = await Worlds.start(installation, proxy);
    const operator = await installation.startOperator({ ...SETTINGS, KUBECONFIG: proxy.kubeconfig });
    return new Campaign(installation, { proxy, worlds, operator });
  }

  async stop(): Promise<void> {
    await this.operator.kill();
    await this.worlds.stop();
    await this.proxy.stop();
  }

  /** Rollouts that nothing happens to, and what they agree on. */
  async record(strategy: StrategyName, times: number): Promise<Recorded> {
    const runs = await Promise.all(
      Array.from({ length: times }, async () => await this.undisturbed(strategy)),
    );
    const [first] = runs;
    if (first === undefined) throw new Error('nothing was recorded');
    // Of the states of the routes, those of the run that passed by the fewest unseen: the others have a part of them.
    const routes = runs
      .map((run) => run.outcome.routes)
      .reduce((most, next) => (next.length > most.length ? next : most));
    const outcome = { ...first.outcome, routes };
    const disagreements = runs.flatMap((run) => differences(outcome, run.outcome));
    if (disagreements.length > 0) {
      throw new Error(`undisturbed rollouts of ${strategy} differ: ${disagreements.join('; ')}`);
    }
    this.expected.set(strategy, outcome);
    return {
      ...{ strategy, outcome },
      writes: joinKeys(runs.map(({ writes }) => writes)),
      events: joinKeys(runs.map(({ events }) => events)),
    };
  }

  /** One rollout with its fault, beside whatever else is under way. */
  async run(planned: Case): Promise<Verdict> {
    const startedAtMs = performance.now();
    const world = await this.worlds.create(planned.strategy, planned);
    return await this.judge(planned, world, startedAtMs);
  }

  /**
   * One rollout for each case, all begun together; the operator is killed when each has come to the write at which it
   * is to be killed, or when the first cannot be held up any longer. Then again for those that come later.
   */
  async crash(cases: readonly Case[]): Promise<readonly Verdict[]> {
    const startedAtMs = performance.now();
    const worlds = await Promise.all(
      cases.map(async (planned) => await this.worlds.create(planned.strategy, planned)),
    );
    const over = new Set<World>();
    const verdicts = cases.map(async (planned, index) => {
      const world = worlds[index];
      if (world === undefined) throw new Error('there is a world for each case');
      const verdict = await this.judge(planned, world, startedAtMs);
      over.add(world);
      return verdict;
    });
    const left = (): number => worlds.filter((world) => !world.record.isStruck && !over.has(world)).length;
    while (left() + this.proxy.gate.count > 0) {
      await waitFor('a write is in the air', () => this.isTimeToKill(left()), {
        timeoutMs: 240_000,
        everyMs: 10,
      });
      if (this.proxy.gate.count > 0) await this.replaceOperator();
    }
    return await Promise.all(verdicts);
  }

  private isTimeToKill(left: number): boolean {
    const { count, heldMs } = this.proxy.gate;
    return left === 0 || (count > 0 && heldMs > LONGEST_HOLD_MS);
  }

  private async replaceOperator(): Promise<void> {
    await this.operator.kill();
    this.proxy.gate.clear();
    this.proxy.beginStale();
    this.operator = await this.installation.startOperator({ ...SETTINGS, KUBECONFIG: this.proxy.kubeconfig });
    this.proxy.endStale();
  }

  private async undisturbed(strategy: StrategyName): Promise<{
    readonly outcome: Outcome;
    readonly writes: World['record']['timeline']['writes'];
    readonly events: World['record']['timeline']['events'];
  }> {
    const world = await this.worlds.create(strategy);
    const outcome = await world.rollOut();
    const { timeline } = world.record;
    await world.takeDown();
    return { outcome, ...timeline };
  }

  private async judge(planned: Case, world: World, startedAtMs: number): Promise<Verdict> {
    const problems = await this.problemsOf(planned, world);
    const { isStruck, timeline } = world.record;
    const keys = new Set([...timeline.writes, ...timeline.events].map(({ name }) => name));
    await world.takeDown();
    return { ...planned, isStruck, problems, keys, seconds: (performance.now() - startedAtMs) / 1000 };
  }

  private async problemsOf({ strategy, key }: Case, world: World): Promise<readonly string[]> {
    const expected = this.expected.get(strategy);
    if (expected === undefined) throw new Error(`no rollout of ${strategy} was recorded`);
    try {
      const found = differences(expected, await world.rollOut());
      // Events are only told and never needed: nothing waits for one that could not be recorded.
      return found.filter((sentence) => !key.startsWith(`POST events ${sentence.replace('no event ', '')} `));
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }
}

export function isCrash({ fault }: Case): boolean {
  return isOne(crashFaults, fault);
}
