import type { Event } from './environment.ts';
import { faults, type FaultName } from './faults.ts';
import { comesToRest } from './settle.ts';
import { advance, ViolationError, type Census, type Violation } from './simulation.ts';
import type { Start } from './starts.ts';
import type { Story } from './story.ts';
import { liveModelDeployment, type WayOut, type World } from './world.ts';

/** A story that has ended badly. */
export class BadEnd extends Error {
  readonly story: Story;
  readonly violation: Violation;

  constructor(story: Story, { violation, message }: ViolationError) {
    super(message);
    this.story = story;
    this.violation = violation;
  }
}

interface Beginning {
  readonly start: Start;
  readonly events: readonly Event[];
  readonly world: World;
}

/** A story while it happens: the world as it is now, and the events that led here. */
export class Tale {
  world: World;
  readonly events: Event[];
  readonly start: Start;
  readonly #census: Census;

  constructor({ start, events, world }: Beginning, census: Census) {
    this.start = start;
    this.#census = census;
    this.events = [...events];
    this.world = world;
  }

  /** Lets an event happen; whether it changed anything. */
  let(event: Event): boolean {
    const before = this.world;
    this.events.push(event);
    this.world = this.#orBadEnd(false, () => advance(before, event, this.#census));
    if (this.world === before) this.events.pop();
    return this.world !== before;
  }

  /** Lets a fault happen, and counts the cell of the phase in which it did. */
  suffer(name: FaultName, event: Event): boolean {
    const { phase } = liveModelDeployment(this.world)?.status ?? {};
    const happened = this.let(event);
    if (happened && phase !== undefined) this.#census.sawCell(cellOf(phase, name));
    return happened;
  }

  /** Takes a way out, and counts the cell of the phase in which it was taken. */
  leave(way: WayOut): boolean {
    const { phase } = liveModelDeployment(this.world)?.status ?? {};
    const happened = this.let({ kind: 'UserLeaves', way });
    if (happened && phase !== undefined) this.#census.sawCell(wayOf(phase, way.kind));
    return happened;
  }

  /** Another story with the same beginning. */
  fork(): Tale {
    return new Tale(this, this.#census);
  }

  faultsOf(name: FaultName): readonly Event[] {
    return faults[name](this.world);
  }

  /** Everything gets well, and the world is left in peace; what is there in the end. */
  rest(): string {
    this.#census.stories += 1;
    return this.#orBadEnd(true, () => comesToRest(this.world, this.#census)).end;
  }

  /** This story ends badly, for a reason that lies in no single state. */
  condemn(violation: Violation): never {
    const error = new ViolationError(violation, this.world);
    throw new BadEnd({ start: this.start, events: [...this.events], thenRests: true }, error);
  }

  #orBadEnd<Result>(thenRests: boolean, go: () => Result): Result {
    try {
      return go();
    } catch (error) {
      if (!(error instanceof ViolationError)) throw error;
      throw new BadEnd({ start: this.start, events: [...this.events], thenRests }, error);
    }
  }
}

export function cellOf(phase: string, fault: FaultName): string {
  return `${phase} × ${fault}`;
}

export function wayOf(phase: string, way: WayOut['kind']): string {
  return `${phase} × ${way} as the way out`;
}
