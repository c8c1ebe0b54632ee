import { NO_MEMORY, type Behaviour, type Pod, type World } from './world.ts';

/** How long a runtime serves after SIGTERM (HEADGATE_DRAIN_SECONDS). */
export const TERMINATION_MS = 5_000;
/** After so many crashes the kubelet's back-off is longer than any of our stories. */
const LAST_RESTART = 5;

/** Each pod, or those chosen, moves by one stage of its life. */
export function kubelet(world: World, isChosen: (pod: Pod) => boolean = () => true): World {
  const moved = world.pods.map((pod) =>
    isChosen(pod) && pod.terminatingSinceMs === undefined ? stages[world.behaviours[pod.version]](pod) : pod,
  );
  const changed = moved.some((pod, index) => pod !== world.pods[index]);
  return changed ? withPods(world, moved) : world;
}

/** Where a pod of each behaviour goes next from each state; itself where it stays. */
const stages: Readonly<Record<Behaviour, (pod: Pod) => Pod>> = {
  Good: getsWell,
  AnswersWithErrors: getsWell,
  CrashesBeforeReady: (pod) => crashesFrom(pod, ['Starting', 'Ready', 'Unready']),
  ModelInvalid: (pod) => crashesFrom(pod, ['Starting']),
  CrashesWhenReady: (pod) => (pod.state === 'Ready' ? crash(pod) : (restarts(pod) ?? getsReady(pod))),
  NeverReady: (pod) => (pod.state === 'Ready' ? { ...pod, state: 'Unready' } : (restarts(pod) ?? pod)),
  ImageMissing: (pod) => (pod.state === 'Starting' ? { ...pod, state: 'Waiting' } : pod),
};

function getsWell(pod: Pod): Pod {
  return pod.state === 'Down' || pod.state === 'Waiting' ? { ...pod, state: 'Starting' } : getsReady(pod);
}

function getsReady(pod: Pod): Pod {
  return pod.state === 'Starting' || pod.state === 'Unready' ? { ...pod, state: 'Ready' } : pod;
}

function restarts(pod: Pod): Pod | undefined {
  if (pod.state !== 'Down') return undefined;
  return pod.crashes < LAST_RESTART ? { ...pod, state: 'Starting' } : pod;
}

function crashesFrom(pod: Pod, states: readonly string[]): Pod {
  return states.includes(pod.state) ? crash(pod) : (restarts(pod) ?? pod);
}

function crash(pod: Pod): Pod {
  return { ...pod, state: 'Down', crashes: pod.crashes + 1, memory: NO_MEMORY };
}

/** Changes the pods, and tells the operator where what it sees has changed. */
export function withPods(world: World, pods: readonly Pod[]): World {
  if (world.platform.cacheFrozen) return { ...world, pods };
  return { ...world, pods, cachedPods: pods, operator: { ...world.operator, dirty: true } };
}

/** Terminating pods whose time is over are gone. */
export function removeEndedPods(world: World): World {
  const left = world.pods.filter(
    ({ terminatingSinceMs }) =>
      terminatingSinceMs === undefined || world.nowMs - terminatingSinceMs < TERMINATION_MS,
  );
  return left.length === world.pods.length ? world : withPods(world, left);
}

/** Whether pods of such a version cannot be counted on to be ready. */
export function isBroken(behaviour: Behaviour): boolean {
  return behaviour !== 'Good' && behaviour !== 'AnswersWithErrors';
}
