import type { Load, LoadRecord, TimeRange } from '../../bed/load.ts';

/** The failed requests of a load, alike ones in one sentence: `12 × 503 from d-1 by 10.11.0.10:8080, 00:30:02.1 to …`. */
export async function failuresOf(load: Load, range?: TimeRange): Promise<string[]> {
  const groups = new Map<string, LoadRecord[]>();
  for (const record of await load.failures(range)) {
    const { status, revision, target, problem } = record;
    const answer = `${status === 0 ? 'no answer' : status} from ${revision || 'nobody'} by ${target} (${problem})`;
    groups.set(answer, [...(groups.get(answer) ?? []), record]);
  }
  return [...groups].map(([answer, records]) => {
    const times = records.map(({ atMs }) => new Date(atMs).toISOString().slice(11, 21));
    return `${records.length} × ${answer}, ${times[0] ?? ''} to ${times.at(-1) ?? ''}`;
  });
}
