import { setTimeout as rest } from 'node:timers/promises';
import type { Installation } from './installation.ts';
import { Dice } from '../../support/dice.ts';
import { ledFrom, type Replica, type Replicas } from './replicas.ts';
import type { Way } from './way.ts';

/** How a leader is lost. */
export const losses = ['asked to end', 'killed', 'stopped', 'held up in mid-write', 'cut off'] as const;
export type Loss = (typeof losses)[number];

const MODELS = ['fraud', 'churn', 'ranking', 'pricing'] as const;
const CHANGE_EVERY_MS = 100;
/** A stopped or cut leader wakes when its successor has written for up to so long. */
const LONGEST_AWAY_MS = 1_000;
/** One that leads, one that takes over, and one that is on its way. */
const REPLICAS = 3;

export interface Failover {
  readonly loss: Loss;
  readonly seconds: number;
}

/** Loses one leader after the other while users change their models. */
export async function failOver(
  installation: Installation,
  replicas: Replicas,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<readonly Failover[]> {
  const dice = new Dice(seed);
  const users = new AbortController();
  const changing = changeModels(installation, users.signal);
  const coming: Promise<unknown>[] = [];
  for (let index = 0; index < REPLICAS; index += 1) await replicas.add();
  const failovers: Failover[] = [];
  for (let index = 0; index < count; index += 1) {
    const loss = dice.pick(losses) ?? 'killed';
    const leader = await replicas.leader();
    await rest(dice.next() * CHANGE_EVERY_MS * 3);
    const lostMs = Date.now();
    const comeBack = await lose(replicas, leader, loss);
    const successor = await replicas.leader(leader);
    failovers.push({ loss, seconds: ((await ledFrom(successor, lostMs)) - lostMs) / 1000 });
    await rest(dice.next() * LONGEST_AWAY_MS);
    coming.push(comeBack());
    // No more than one at a time is away, so that there is somebody to take over.
    if (coming.length > 1) await coming.shift();
  }
  await Promise.all(coming);
  users.abort();
  await changing;
  return failovers;
}

/** Returns what brings the replica, or another in its place, back. */
async function lose(replicas: Replicas, leader: Replica, loss: Loss): Promise<() => Promise<unknown>> {
  const { way, operator } = leader;
  switch (loss) {
    case 'asked to end': {
      const ended = operator.terminate();
      return async () => await ended.then(() => replicas.drop(leader)).then(() => replicas.add());
    }
    case 'killed':
      await replicas.kill(leader);
      return async () => await replicas.add();
    case 'stopped':
      process.kill(operator.pid, 'SIGSTOP');
      return async () => await Promise.resolve(process.kill(operator.pid, 'SIGCONT'));
    case 'held up in mid-write':
      way.holdOutward();
      return async () => await open(way);
    case 'cut off':
      way.cut();
      return async () => await open(way);
  }
}

function open(way: Way): Promise<void> {
  way.open();
  return Promise.resolve();
}

/** New versions and new bounds, one model after the other, until it is enough. */
async function changeModels(installation: Installation, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const name = MODELS[turn % MODELS.length] ?? 'fraud';
    const round = Math.floor(turn / MODELS.length);
    const uri = `https://models.example.com/${name}/${Math.floor(round / 5) % 4}/model.onnx`;
    const scaling = { minReplicas: 1, maxReplicas: 2 + (round % 7), targetP95: '80ms' };
    await installation.apply(name, { model: { uri }, scaling });
    await rest(CHANGE_EVERY_MS);
  }
}
