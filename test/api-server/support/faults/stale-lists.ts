import type { Forwarded, Upstream } from './upstream.ts';

/** How far a list that is stale lies behind. */
const BEHIND_MS = 1_500;

/** Which version the cluster had when, as far as watches told. */
export class Versions {
  private readonly seen: { readonly version: bigint; readonly atMs: number }[] = [];

  hear(version: string | undefined): void {
    if (version === undefined) return;
    const newest = this.seen.at(-1)?.version ?? 0n;
    if (BigInt(version) > newest) this.seen.push({ version: BigInt(version), atMs: performance.now() });
    if (this.seen.length > 20_000) this.seen.splice(0, 10_000);
  }

  /** That of a while ago, and older than `before` in any case. */
  staleBefore(before: string | undefined): string {
    const untilMs = performance.now() - BEHIND_MS;
    const limit = before === undefined ? undefined : BigInt(before) - 1n;
    const { version } = this.seen.findLast(({ atMs }) => atMs <= untilMs) ?? this.seen[0] ?? { version: 1n };
    return String(limit !== undefined && limit < version ? limit : version);
  }
}

interface List {
  readonly apiVersion: string;
  readonly kind: string;
  readonly items: readonly object[] | null;
}

/**
 * The list that the API server had at an earlier version, by its own word, in the form in which the operator asked for
 * one: as one answer or as events.
 */
export async function staleList(upstream: Upstream, forwarded: Forwarded, version: string): Promise<string> {
  const url = new URL(forwarded.path, 'http://proxy');
  const asked = new URLSearchParams({ resourceVersion: version, resourceVersionMatch: 'Exact' });
  const selector = url.searchParams.get('labelSelector');
  if (selector !== null) asked.set('labelSelector', selector);
  const { status, body } = await upstream.ask({ ...forwarded, path: `${url.pathname}?${asked.toString()}` });
  const text = body.toString();
  if (status !== 200) throw new Error(`no list of version ${version}: ${status} ${text}`);
  if (url.searchParams.get('sendInitialEvents') !== 'true') return text;
  const { items, kind, apiVersion } = JSON.parse(text) as List;
  const type = { apiVersion, kind: kind.replace(/List$/, '') };
  const end = {
    type: 'BOOKMARK',
    object: {
      ...type,
      metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  };
  const lines = [...(items ?? []).map((item) => ({ type: 'ADDED', object: { ...item, ...type } })), end];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
