import { watchedError } from './api-status.ts';

/** A watch said something that is no event: nothing after it can be trusted. */
export class UnreadableEventError extends Error {
  override readonly name = 'UnreadableEventError';
}

/** An object as the API server sends it; what else it holds is for whoever trims it. */
interface SentObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: SentObject;
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const LONGEST_QUOTE = 80;
const types: ReadonlySet<unknown> = new Set<WatchEvent['type']>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** One line of a watch. An error that the API server reports in it is thrown as the `ApiError` that it is. */
export function parseWatchEvent(line: string): WatchEvent {
  const { type, object } = parse(line);
  if (type === 'ERROR') throw watchedError(object ?? {});
  if (!types.has(type) || !isSentObject(object, type === 'BOOKMARK')) throw unreadable(line);
  return { type: type as WatchEvent['type'], object };
}

/** The bookmark behind the last object of a list that is sent as events. */
export function isEndOfList({ type, object }: WatchEvent): boolean {
  return type === 'BOOKMARK' && object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
}

function parse(line: string): { readonly type?: unknown; readonly object?: unknown } {
  try {
    return (JSON.parse(line) as object | null) ?? {};
  } catch {
    throw unreadable(line);
  }
}

/** A bookmark's object holds nothing but a version. */
function isSentObject(object: unknown, isBookmark: boolean): object is SentObject {
  const metadata = (object as Partial<SentObject> | null | undefined)?.metadata;
  if (metadata === undefined || !isVersion(metadata.resourceVersion)) return false;
  return isBookmark || (isText(metadata.name) && isText(metadata.uid));
}

export function isVersion(value: unknown): boolean {
  return typeof value === 'string' && /^\d+$/.test(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function unreadable(line: string): UnreadableEventError {
  return new UnreadableEventError(`the watch sent what is no event: ${line.slice(0, LONGEST_QUOTE)}`);
}
