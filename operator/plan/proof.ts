import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { RuntimeReport } from './observed.ts';
import type { Facts } from './facts.ts';

/** Whether the proxies are known to use the routing that the API asks for; never assumed (DESIGN §4, I11). */
export type Proof =
  /** There is nothing to prove: no routing has been asked for. */
  | { readonly kind: 'Nothing' }
  | { readonly kind: 'Proven'; readonly hash: string; readonly sinceMs: number }
  | { readonly kind: 'Unproven'; readonly hash: string; readonly message: string };

/** A request that was sent with an older routing this recently means that some sidecar still uses it. */
const STALE_SIGHTING_SECONDS = 1;

/** istiod pushes 10 s after a write at the latest (PILOT_DEBOUNCE_MAX); without a gateway to ask, only time tells. */
const LONGEST_PUSH_DELAY_MS = 10_000;

/** When this routing was first asked for, as status remembers it; now, where it does not. */
export function askedAtMs(
  { askedHash }: Facts,
  status: ModelDeploymentStatus | undefined,
  nowMs: number,
): number {
  const remembered = status?.routing;
  return remembered !== undefined && remembered.hash === askedHash ? Date.parse(remembered.askedAt) : nowMs;
}

export function evaluateProof(facts: Facts, nowMs: number): Proof {
  const { askedHash: hash } = facts;
  if (hash === undefined) return { kind: 'Nothing' };
  const remembered = facts.modelDeployment.status?.routing;
  // What has once been proven stays so: a proxy never goes back to an older configuration of the same connection.
  if (remembered?.hash === hash && remembered.provenAt !== undefined) {
    return { kind: 'Proven', hash, sinceMs: Date.parse(remembered.provenAt) };
  }
  const problem = doubts.map((doubt) => doubt(facts, hash, nowMs)).find((message) => message !== undefined);
  return problem === undefined
    ? { kind: 'Proven', hash, sinceMs: nowMs }
    : { kind: 'Unproven', hash, message: problem };
}

type Doubt = (facts: Facts, hash: string, nowMs: number) => string | undefined;

/** The first that applies is the reason to wait; missing, empty or refused evidence is a reason too. */
const doubts: readonly Doubt[] = [
  gatewayMissing,
  gatewayBehind,
  runtimeSilent,
  sidecarBehind,
  sidecarsNotYetPushed,
];

function gatewayMissing({ observed }: Facts): string | undefined {
  const [missing] = observed.gateways.missing;
  return missing && `Gateway ${missing.gateway} cannot be asked: ${missing.message}`;
}

function gatewayBehind({ observed }: Facts, hash: string): string | undefined {
  const behind = observed.gateways.proxies.filter((proxy) => proxy.hash !== hash);
  if (behind.length === 0) return undefined;
  const names = behind
    .map(({ name, problem }) => (problem === undefined ? name : `${name} (${problem})`))
    .sort();
  return `Waiting until the gateway uses the new routing: ${names.join(', ')}`;
}

function servingReports({
  observed,
  askedRouting,
}: Facts): readonly (readonly [string, RuntimeReport | undefined])[] {
  const routed = new Set(askedRouting?.destinations.map(({ revision }) => revision));
  return observed.pods
    .filter(({ ready, revision }) => ready && routed.has(revision))
    .map(({ name }) => [name, observed.reports.get(name)]);
}

function runtimeSilent(facts: Facts): string | undefined {
  const [silent] = servingReports(facts)
    .filter(([, report]) => report === undefined)
    .map(([name]) => name)
    .sort();
  return silent && `Waiting for the report of runtime pod ${silent}, which tells what still arrives there`;
}

function sidecarBehind(facts: Facts, hash: string): string | undefined {
  const stale = servingReports(facts).some(([, report]) =>
    report?.routings.some(
      (sighting) => sighting.hash !== hash && sighting.lastSeenSecondsAgo < STALE_SIGHTING_SECONDS,
    ),
  );
  return stale ? 'Waiting for sidecars that still send requests with the routing before this one' : undefined;
}

function sidecarsNotYetPushed(facts: Facts, _hash: string, nowMs: number): string | undefined {
  if (facts.observed.gateways.proxies.length > 0) return undefined;
  const elapsedMs = nowMs - askedAtMs(facts, facts.modelDeployment.status, nowMs);
  return elapsedMs < LONGEST_PUSH_DELAY_MS
    ? 'Waiting until the mesh has had time to learn the new routing; there is no gateway to ask'
    : undefined;
}
