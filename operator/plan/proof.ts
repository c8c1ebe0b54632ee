import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { Router } from '../traffic/router.ts';
import { FULL_WEIGHT, revisionsIn, type Routing } from '../traffic/routing.ts';
import { entryServiceName, headers, MANAGEMENT_PORT } from '../api/names.ts';
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

/**
 * When this routing was first found written, as status remembers it; now, where it does not. What proxies have had the
 * time to learn counts from here: between a pass that asks and its last write any time may pass.
 */
export function writtenAtMs(
  { askedHash }: Facts,
  status: ModelDeploymentStatus | undefined,
  nowMs: number,
): number {
  const { hash, writtenAt } = status?.routing ?? {};
  return hash === askedHash && writtenAt !== undefined ? Date.parse(writtenAt) : nowMs;
}

export function evaluateProof(facts: Facts, nowMs: number): Proof {
  const { askedHash: hash } = facts;
  if (hash === undefined) return { kind: 'Nothing' };
  const remembered = facts.modelDeployment.status?.routing;
  // What has once been proven stays so: a proxy never goes back to an older configuration of the same connection.
  if (remembered?.hash === hash && remembered.provenAt !== undefined) {
    return { kind: 'Proven', hash, sinceMs: Date.parse(remembered.provenAt) };
  }
  const problem = doubts[facts.router.carrier]
    .map((doubt) => doubt(facts, hash, nowMs))
    .find((message) => message !== undefined);
  return problem === undefined
    ? { kind: 'Proven', hash, sinceMs: nowMs }
    : { kind: 'Unproven', hash, message: problem };
}

/**
 * Why the proxies are not known to use this very routing, with the hosts, timeouts and gateways of the present spec;
 * undefined when they are.
 */
export function whyUnproven(facts: Facts, proof: Proof, routing: Routing): string | undefined {
  const { modelDeployment, router, askedHash } = facts;
  if (askedHash !== router.render(modelDeployment, routing).hash) {
    return 'The routes are being written';
  }
  return proof.kind === 'Unproven' ? proof.message : undefined;
}

type Doubt = (facts: Facts, hash: string, nowMs: number) => string | undefined;

/** The first that applies is the reason to wait; missing, empty or refused evidence is a reason too. */
const doubts: Readonly<Record<Router['carrier'], readonly Doubt[]>> = {
  Proxies: [
    gatewaysNotAsked,
    gatewayMissing,
    gatewayBehind,
    runtimeSilent,
    sidecarBehind,
    sidecarsNotYetPushed,
  ],
  EntryService: [endpointsUnknown, endpointsBehind, proxiesLinger],
};

function gatewaysNotAsked({ modelDeployment, observed }: Facts): string | undefined {
  const { proxies, missing } = observed.gateways;
  const isSilent = proxies.length === 0 && missing.length === 0;
  return isSilent && modelDeployment.spec.traffic.gateways !== undefined
    ? 'No gateway of spec.traffic.gateways was asked yet'
    : undefined;
}

function gatewayMissing({ observed }: Facts): string | undefined {
  const [missing] = observed.gateways.missing;
  return (
    missing &&
    `Gateway ${missing.gateway} cannot be asked which routes it has: ${missing.message}; mend it or take it out of spec.traffic.gateways`
  );
}

function gatewayBehind({ observed }: Facts, hash: string): string | undefined {
  const behind = observed.gateways.proxies.filter((proxy) => proxy.hash !== hash);
  if (behind.length === 0) return undefined;
  const names = behind
    .map(({ name, problem }) => (problem === undefined ? name : `${name} (${problem})`))
    .sort();
  return `Waiting until every gateway pod has the new routes: ${names.join(', ')}; a pod that cannot get them any more has to be deleted`;
}

function servingReports({
  observed,
  askedRouting,
}: Facts): readonly (readonly [string, RuntimeReport | undefined])[] {
  const routed = revisionsIn(askedRouting);
  return observed.pods
    .filter(({ ready, revision }) => ready && routed.has(revision))
    .map(({ name }) => [name, observed.reports.get(name)]);
}

function runtimeSilent(facts: Facts): string | undefined {
  const [silent] = servingReports(facts)
    .filter(([, report]) => report === undefined)
    .map(([name]) => name)
    .sort();
  return (
    silent &&
    `Waiting for pod ${silent} to tell which routes its requests came by: let the operator reach its port ${MANAGEMENT_PORT}`
  );
}

function sidecarBehind(facts: Facts, hash: string): string | undefined {
  const stale = servingReports(facts).some(([, report]) =>
    report?.routings.some(
      (sighting) => sighting.hash !== hash && sighting.lastSeenSecondsAgo < STALE_SIGHTING_SECONDS,
    ),
  );
  return stale
    ? 'Waiting until no sidecar sends by the routes before these; a client whose sidecar has lost istiod has to be restarted'
    : undefined;
}

function sidecarsNotYetPushed(facts: Facts, _hash: string, nowMs: number): string | undefined {
  if (facts.observed.gateways.proxies.length > 0) return undefined;
  const elapsedMs = nowMs - writtenAtMs(facts, facts.modelDeployment.status, nowMs);
  return elapsedMs < LONGEST_PUSH_DELAY_MS
    ? 'Waiting 10 s for the sidecars to learn the new routes, because there is no gateway to ask'
    : undefined;
}

function endpointsUnknown({ modelDeployment, observed }: Facts): string | undefined {
  const { pods, problem = 'they were not asked for yet' } = observed.endpoints;
  const name = entryServiceName(modelDeployment.metadata.name);
  return pods === undefined ? `The EndpointSlices of Service ${name} are not known: ${problem}` : undefined;
}

/** Of a Service that was chosen nobody is told before the last sidecar has let go of the routes that it had. */
function proxiesLinger({ modelDeployment, observed }: Facts): string | undefined {
  const sightings = [...observed.reports.values()].flatMap(({ routings }) => routings);
  const isNews = sightings.some(({ lastSeenSecondsAgo }) => lastSeenSecondsAgo < STALE_SIGHTING_SECONDS);
  return modelDeployment.spec.traffic.router === 'Service' && isNews
    ? `Waiting until no sidecar sends by the routes that Istio had; a client whose sidecar has lost istiod has to be restarted, and none may pass on the header ${headers.routing} of what it was asked`
    : undefined;
}

/** kube-proxies cannot be asked; what they are told can. That they follow, the pods they leave will tell. */
function endpointsBehind({ modelDeployment, observed, askedRouting }: Facts): string | undefined {
  const receiver = askedRouting?.destinations.find(({ weight }) => weight === FULL_WEIGHT)?.revision;
  const wanted = observed.pods.filter(({ ready, revision }) => ready && revision === receiver);
  const expected = wanted.map(({ name }) => name);
  const held = observed.endpoints.pods ?? [];
  const wrong = [
    ...expected.filter((name) => !held.includes(name)),
    ...held.filter((name) => !expected.includes(name)),
  ].sort();
  if (wrong.length === 0) return undefined;
  const name = entryServiceName(modelDeployment.metadata.name);
  return `Waiting until the EndpointSlices of Service ${name} hold the ready pods of ${receiver ?? 'nobody'} and no others, as Kubernetes will see to: ${wrong.join(', ')}`;
}
