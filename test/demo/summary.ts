import type { LoadCounts } from '../bed/load.ts';

/** Names of versions by revision, as the story tells them. */
export type VersionNames = ReadonlyMap<string, string>;

/** What a chapter of the story did to the users. */
export interface ChapterResult {
  readonly title: string;
  readonly counts: LoadCounts;
}

/** How a bad version went back. */
export interface Recovery {
  readonly version: string;
  readonly reason: string;
  /** What was seen of it first. */
  readonly evidence: string;
  readonly seconds: number;
}

/** `500 requests, 0 failed   answered by v1 95.2 %, v2 4.8 %` */
export function describeCounts(counts: LoadCounts, names: VersionNames): string {
  const shares = sharesOf(counts, names).map(
    ([name, count]) => `${name} ${percentOf(count, counts.requests)}`,
  );
  return `${counts.requests} requests, ${counts.failed} failed   answered by ${shares.join(', ') || 'nobody'}`;
}

export function renderSummary(
  chapters: readonly ChapterResult[],
  recoveries: readonly Recovery[],
  names: VersionNames,
): string[] {
  return [
    ...table([
      ['', 'requests', 'failed', 'answers'],
      ...chapters.map(({ title, counts }) => [
        title,
        String(counts.requests),
        String(counts.failed),
        sharesOf(counts, names)
          .map(([name, count]) => `${name} ${count}`)
          .join(', '),
      ]),
    ]),
    '',
    ...table([
      ['', 'given up for', 'first seen as', 'until 0 % at both gateways'],
      ...recoveries.map(({ version, reason, evidence, seconds }) => [
        version,
        reason,
        evidence,
        `${seconds.toFixed(1)} s`,
      ]),
    ]),
  ];
}

function sharesOf({ byRevision }: LoadCounts, names: VersionNames): (readonly [string, number])[] {
  return Object.entries(byRevision)
    .map(([revision, count]) => [nameOf(revision, names), count] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** An answer without a revision is the proxy's own: nobody stood behind it. */
function nameOf(revision: string, names: VersionNames): string {
  return revision === '' ? 'gateway itself' : (names.get(revision) ?? revision);
}

function percentOf(count: number, total: number): string {
  return `${((count / total) * 100).toFixed(1)} %`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
