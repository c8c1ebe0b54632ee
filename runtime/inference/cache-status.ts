import type { Journey } from './journey.ts';

/** By name of what became of a request at the cache; RFC 9211 has the words. */
const statuses: Readonly<Record<NonNullable<Journey['cache']>, string>> = {
  Hit: 'headgate; hit',
  Miss: 'headgate; fwd=miss; stored',
  // Asked at the same time as an equal request, and got its answer.
  Shared: 'headgate; fwd=miss; collapsed',
};

/** The value of the header Cache-Status; undefined where no cache was asked. */
export function cacheStatus({ cache }: Pick<Journey, 'cache'>): string | undefined {
  return cache === undefined ? undefined : statuses[cache];
}
