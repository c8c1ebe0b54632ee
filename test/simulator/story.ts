import { liveModelDeployment, type World } from './world.ts';
import type { Action } from '../../operator/plan/action.ts';
import type { Event } from './environment.ts';
import { heldFrom } from './clients.ts';
import { actionOf, type Transition } from './invariants/invariant.ts';
import { comesToRest } from './settle.ts';
import { advance, Census, ViolationError, type Violation } from './simulation.ts';
import { startOf, type Start } from './starts.ts';

/** A beginning, what happens then, and whether the world is left in peace after it. */
export interface Story {
  readonly start: Start;
  readonly events: readonly Event[];
  readonly thenRests: boolean;
}

/** Tells a story again; the violation it ends in, or none. */
export function retell(
  { start, events, thenRests }: Story,
  listener?: (transition: Transition) => void,
): ViolationError | undefined {
  const begins = startOf(start);
  const census = new Census();
  census.listener = listener;
  try {
    const end = events.reduce((world, event) => advance(world, event, census), begins);
    if (thenRests) comesToRest(end, census);
    return undefined;
  } catch (error) {
    if (error instanceof ViolationError) return error;
    throw error;
  }
}

const MOST_TRIALS = 1_500;

/** The shortest story with the same ending that removing events can find. */
export function shorten(story: Story, { code, name }: Violation): Story {
  let best = story;
  let trials = 0;
  const isSame = (events: readonly Event[]): boolean => {
    trials += 1;
    const found = retell({ ...story, events })?.violation;
    return found?.code === code && found.name === name;
  };
  for (let size = Math.ceil(best.events.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let first = best.events.length - size; first >= 0 && trials < MOST_TRIALS; first -= size) {
      const events = best.events.toSpliced(first, size);
      if (isSame(events)) best = { ...best, events };
    }
  }
  return best;
}

/** The story in lines that a person can follow. */
export function tell(story: Story, message: string): string {
  const lines: string[] = [];
  const bad = retell(story, ({ before, event, after }) => {
    const line = `${seconds(before)} ${describe(before, event, after)}`;
    if (isWorthTelling(event)) lines.push(line);
  });
  return [`The story begins with: ${story.start}`, ...lines, `    ✗ ${bad?.message ?? message}`].join('\n');
}

/** Time passes in every line. */
function isWorthTelling({ kind }: Event): boolean {
  return kind !== 'Tick';
}

const START_MS = Date.UTC(2026, 0, 1);

function seconds({ nowMs }: World): string {
  return `${((nowMs - START_MS) / 1000).toFixed(1).padStart(7)} s`;
}

function describe(before: World, event: Event, after: World): string {
  if (event.kind === 'OperatorPlans') return `the operator plans: ${planned(after)}`;
  if (event.kind !== 'OperatorActs') return describeOther(event);
  const action = actionOf({ before, event, after });
  if (action !== undefined) return `the operator: ${describeAction(action)}`;
  const { pass } = before.operator;
  if (pass !== undefined && pass.next < pass.actions.length) {
    return `the operator is refused: ${describeAction(pass.actions[pass.next] as Action)}`;
  }
  if (pass !== undefined && pass.next > pass.actions.length) return 'the operator answers a decision';
  return `the operator ends its pass: ${phase(after)}`;
}

function phase(world: World): string {
  const status = liveModelDeployment(world)?.status;
  return status === undefined
    ? 'no status'
    : `${status.phase ?? ''} ${status.reason ?? ''}, step ${status.step ?? '-'}`;
}

function planned({ operator }: World): string {
  const { pass } = operator;
  if (pass === undefined) return 'nothing';
  const again = pass.requeueAfterMs === undefined ? '' : `, looks again in ${pass.requeueAfterMs} ms`;
  return `${pass.actions.length} actions, status ${pass.status?.phase ?? ''} ${pass.status?.reason ?? ''}${again}`;
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case 'RecordEvent':
      return `event ${action.event.reason}: ${action.event.message}`;
    case 'Delete':
      return `delete ${action.reference.kind} ${action.reference.name}`;
    case 'Apply': {
      const { kind, metadata } = action.object;
      const shares =
        kind === 'VirtualService'
          ? ` ${heldFrom(action.object)
              .destinations.map(({ revision, weight }) => `${revision}=${weight}`)
              .join(' ')}`
          : '';
      return `apply ${kind} ${metadata.name}${shares}`;
    }
  }
}

function describeOther({ kind, ...rest }: Event): string {
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  return `${words}${details}`;
}
