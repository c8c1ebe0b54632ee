import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../../operator/controller/object.ts';
import type { Change, ObjectStore } from '../../operator/controller/object-store.ts';
import type { Thing } from '../support/fault-server/truth.ts';

type Known = Pick<Thing, 'name' | 'uid' | 'version' | 'world'>;

const REMEMBERED_DEAD = 2_000;
const MOST_PROBLEMS = 20;

/**
 * Knows only what a list-watch tells of changes, and holds it to its word: each change fits onto the one before, no
 * object ever goes back but into a restored world, and no life that has ended begins again.
 */
export class Follower {
  readonly problems: string[] = [];
  changes = 0;
  private readonly known = new Map<string, Known>();
  /** Uids of objects that have gone, and the world in which they did; the oldest are forgotten. */
  private readonly dead = new Map<string, number>();

  hear(change: Change): void {
    this.changes += 1;
    const thing = knownOf(change.object);
    const previous = this.known.get(thing.name);
    const isPreviousRight = isDeepStrictEqual(change.previous && knownOf(change.previous).uid, previous?.uid);
    if (!isPreviousRight) this.object(change, 'does not fit onto what was told before');
    if (change.type === 'Deleted') this.hearEnd(change, thing, previous);
    else this.hearLife(change, thing, previous);
  }

  /** What differs from the truth, in what was told and in what is held. */
  differences(truth: readonly Thing[], store: ObjectStore): readonly string[] {
    return [
      ...differences('told', truth, [...this.known.values()], ({ uid, version }) => `${uid}@${version}`),
      ...differences(
        'held',
        truth,
        store.all().map(knownOf),
        ({ uid, version, world }) => `${uid}@${version} of world ${world}`,
      ),
    ];
  }

  private hearEnd(change: Change, thing: Known, previous: Known | undefined): void {
    if (previous === undefined) this.object(change, 'was never told of');
    this.known.delete(thing.name);
    this.dead.set(previous?.uid ?? thing.uid, thing.world);
    const [oldest] = this.dead.keys();
    if (this.dead.size > REMEMBERED_DEAD && oldest !== undefined) this.dead.delete(oldest);
  }

  private hearLife(change: Change, thing: Known, previous: Known | undefined): void {
    if ((change.type === 'Added') !== (previous === undefined))
      this.object(change, 'is told as the wrong type');
    if (previous !== undefined && !isLater(thing, previous)) this.object(change, 'goes back');
    const diedIn = this.dead.get(thing.uid);
    if (diedIn !== undefined && diedIn >= thing.world) this.object(change, 'lives again');
    this.dead.delete(thing.uid);
    this.known.set(thing.name, thing);
  }

  private object({ type, object, previous }: Change, problem: string): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    this.problems.push(`${type} ${JSON.stringify(object)} after ${JSON.stringify(previous)} ${problem}`);
  }
}

function knownOf(object: KubernetesObject): Known {
  const { metadata, status } = object as KubernetesObject & { readonly status: { readonly world: number } };
  const { name, uid = '', resourceVersion = '' } = metadata;
  return { name, uid, version: Number(resourceVersion), world: status.world };
}

function isLater(thing: Known, previous: Known): boolean {
  return thing.world > previous.world || (thing.world === previous.world && thing.version > previous.version);
}

function differences(
  verb: string,
  truth: readonly Thing[],
  known: readonly Known[],
  describe: (thing: Known) => string,
): readonly string[] {
  const [right, wrong] = [truth, known].map(
    (things) => new Map(things.map((thing) => [thing.name, describe(thing)])),
  );
  return [...new Set([...(right?.keys() ?? []), ...(wrong?.keys() ?? [])])]
    .filter((name) => right?.get(name) !== wrong?.get(name))
    .map((name) => `${name} is ${right?.get(name) ?? 'gone'}, ${verb} as ${wrong?.get(name) ?? 'gone'}`);
}
