import { setTimeout as rest } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writesWithAnswers } from '../bed/audit-trail.ts';
import { waitFor } from '../bed/wait.ts';
import { Installation } from './support/installation.ts';
import { judge, writerOf } from './support/judgement.ts';
import { isLeader, ledFrom, Replicas, type Replica } from './support/replicas.ts';
import type { Way } from './support/way.ts';

const USUAL_LEASE_SECONDS = 15;
const SHORT_LEASE_SECONDS = 2;
const MOST_ATTEMPTS = 4;

function specOf(version: number): object {
  return { model: { uri: `https://models.example.com/fraud/${version}/model.onnx` } };
}

describe('replicas on a real API server', { timeout: 240_000 }, () => {
  let installation: Installation;
  let replicas: Replicas;
  let version = 0;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true, auditPolicy: writesWithAnswers });
  });

  afterEach(async () => {
    await replicas.stop();
  });

  afterAll(async () => {
    await installation.stop();
  });

  async function twoReplicas(leaseSeconds: number): Promise<void> {
    replicas = new Replicas(installation, leaseSeconds);
    await replicas.add();
    await replicas.add();
  }

  async function userChangesModel(name = 'fraud'): Promise<number | undefined> {
    version += 1;
    return (await installation.apply(name, specOf(version))).metadata.generation;
  }

  /** Somebody has taken in a change of the spec; its status says so. */
  async function isTakenIn(generation: number | undefined, name = 'fraud'): Promise<void> {
    const says = (status: { readonly observedGeneration?: number }): boolean =>
      status.observedGeneration === generation;
    await installation.waitForStatus(name, 'looked after', says, 60_000);
  }

  async function changeIsTakenIn(name = 'fraud'): Promise<void> {
    await isTakenIn(await userChangesModel(name), name);
  }

  /** To open one takes more than what is sent at once: what is to be held up on its way must find one open. */
  async function opensConnectionsToSpare(way: Way): Promise<void> {
    const names = ['fraud', 'churn', 'credit', 'price'];
    way.holdOutward();
    const generations = await Promise.all(names.map((name) => userChangesModel(name)));
    // Each of them now waits for an answer, by a connection of its own.
    await rest(500);
    way.open();
    await Promise.all(names.map((name, index) => isTakenIn(generations[index], name)));
  }

  test('are all ready, and one of them works', async () => {
    await twoReplicas(SHORT_LEASE_SECONDS);
    const leader = await replicas.leader();
    const standby = await replicas.add();
    await changeIsTakenIn();
    expect(await isLeader(leader)).toBe(true);
    expect(await isLeader(standby)).toBe(false);
    await expect(standby.operator.ask('/readyz')).resolves.toMatchObject({ status: 200 });
    // Dashboards that add up the replicas count each model once.
    expect((await standby.operator.ask('/metrics')).body).not.toContain('headgate_model_deployments{');
    const { landed } = await judge(installation.server.auditLog);
    expect(landed.length).toBeGreaterThan(0);
    for (const { writer } of landed) expect(writer).toMatch(new RegExp(`^${leader.name}_`));
  });

  test('hand over within a second when they are asked to end, whatever the lease', async () => {
    await twoReplicas(USUAL_LEASE_SECONDS);
    const seconds: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const leader = await replicas.leader();
      await changeIsTakenIn();
      // In the middle of its work.
      await userChangesModel();
      const askedMs = Date.now();
      const ended = leader.operator.terminate();
      const successor = await replicas.leader(leader);
      seconds.push(((await ledFrom(successor, askedMs)) - askedMs) / 1000);
      expect((await ended).code).toBe(0);
      await replicas.drop(leader);
      await replicas.add();
    }
    console.log(`  handed over within ${seconds.join(', ')} s`);
    expect(seconds.toSorted((left, right) => left - right)[1]).toBeLessThan(1);
    await changeIsTakenIn();
    expect((await judge(installation.server.auditLog)).overrulings).toEqual([]);
  });

  test('replace one that is killed within the lease and two seconds', async () => {
    await twoReplicas(USUAL_LEASE_SECONDS);
    await changeIsTakenIn();
    const leader = await replicas.leader();
    const killedMs = Date.now();
    await replicas.kill(leader);
    const successor = await replicas.leader(leader);
    const seconds = ((await ledFrom(successor, killedMs)) - killedMs) / 1000;
    console.log(`  replaced after ${seconds} s`);
    expect(seconds).toBeLessThan(USUAL_LEASE_SECONDS + 2);
    // Nor much sooner: it was renewed two seconds before at the earliest, and whoever holds it might live.
    expect(seconds).toBeGreaterThan(USUAL_LEASE_SECONDS - 3);
    await changeIsTakenIn();
  });

  test('refuse what one sent before it was stopped and which arrives over its successor', async () => {
    for (let attempt = 1; !(await isStoppedInMidWrite()); attempt += 1) {
      // On a busy machine its first write may need a connection that is not open yet: then nothing is on its way.
      expect(attempt).toBeLessThan(MOST_ATTEMPTS);
      await replicas.stop();
    }
  });

  /** False where nothing that the leader wrote was on its way when it was stopped. */
  async function isStoppedInMidWrite(): Promise<boolean> {
    // Long enough that even on a busy machine its first writes are out while it still takes itself for the leader.
    const leaseSeconds = 4;
    await twoReplicas(leaseSeconds);
    const leader = await replicas.leader();
    await opensConnectionsToSpare(leader.way);
    leader.way.holdOutward();
    // It hears of this, and what it writes then stays on its way.
    const generation = await userChangesModel();
    // Longer than its first write takes, and hardly less than it takes itself for the leader.
    await rest(500 * leaseSeconds);
    process.kill(leader.operator.pid, 'SIGSTOP');
    const successor = await replicas.leader(leader);
    // So the successor has written all that is still on its way.
    await isTakenIn(generation);
    // While it is stopped still: awake, it would take back what it has not been answered yet.
    leader.way.open();
    const hasArrived = await refusesWritesOf(identityOf(leader));
    expect((await judge(installation.server.auditLog)).overrulings).toEqual([]);
    process.kill(leader.operator.pid, 'SIGCONT');
    await waitFor('it stands by', () => leader.operator.lines('not leading any more').length > 0);
    expect(await isLeader(successor)).toBe(true);
    return hasArrived;
  }

  /** Replicas of other tests have the same names. */
  function identityOf({ operator }: Replica): string {
    return String(operator.lines('leading').at(-1)?.['identity']);
  }

  async function refusesWritesOf(identity: string): Promise<boolean> {
    const isRefused = async (): Promise<boolean> => {
      const { refused } = await judge(installation.server.auditLog);
      return refused.some((write) => write.resource !== 'leases' && writerOf(write) === identity);
    };
    return await waitFor('its write has arrived', isRefused, { timeoutMs: 10_000, everyMs: 100 }).catch(
      () => false,
    );
  }

  test('stand by after they were cut off, and can lead again in the same process', async () => {
    await twoReplicas(SHORT_LEASE_SECONDS);
    await changeIsTakenIn();
    const leader = await replicas.leader();
    leader.way.cut();
    const successor = await replicas.leader(leader);
    await changeIsTakenIn();
    await waitFor('it has stepped down', async () => !(await isLeader(leader)));
    await expect(leader.operator.ask('/readyz')).resolves.toMatchObject({ status: 200 });
    leader.way.open();
    await replicas.kill(successor);
    expect(await replicas.leader(successor)).toBe(leader);
    await changeIsTakenIn();
    expect(leader.operator.lines('starting')).toHaveLength(1);
    expect((await judge(installation.server.auditLog)).overrulings).toEqual([]);
  });
});
