import { resourceType, type KnownKind } from './kinds.ts';

export type GrantVerb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete' | 'deletecollection';

/** The namespaces in which a right is needed: the models', those of the gateways that lead to them, the operator's own; policies are in none. */
export type GrantScope = 'Models' | 'Gateways' | 'Release' | 'Policies';

/** What the program does with one resource, and why. */
export interface Grants {
  readonly scope: GrantScope;
  readonly kind: KnownKind;
  readonly subresource?: string;
  readonly verbs: readonly GrantVerb[];
  readonly why: string;
  /** The named template of the chart that gives the one name for which the right is needed. */
  readonly nameFrom?: string;
}

/** Objects come from lists, watches and the answers to writes: hardly anything is ever got by its name. */
const follow = ['list', 'watch'] as const satisfies readonly GrantVerb[];
/** A server-side apply that may make its object needs create beside patch. */
const keep = [...follow, 'create', 'patch', 'delete'] as const satisfies readonly GrantVerb[];

/**
 * Every right that the program uses. The chart's rules are written from it, and a request that it does not cover is
 * never sent; so what is granted can be no less than what is used, and the tests' audit logs show that it is no more.
 */
export const grants: readonly Grants[] = [
  {
    scope: 'Models',
    kind: 'ModelDeployment',
    verbs: follow,
    why: 'The spec is the user’s: it is only read.',
  },
  {
    scope: 'Models',
    kind: 'ModelDeployment',
    subresource: 'status',
    verbs: ['patch'],
    why: 'What is true of it.',
  },
  { scope: 'Models', kind: 'RolloutDecision', verbs: follow, why: 'What people decide is only read.' },
  {
    scope: 'Models',
    kind: 'RolloutDecision',
    subresource: 'status',
    verbs: ['patch'],
    why: 'What became of a decision.',
  },
  { scope: 'Models', kind: 'ControllerRevision', verbs: keep, why: 'What a revision is made of.' },
  { scope: 'Models', kind: 'Deployment', verbs: keep, why: 'A revision’s pods.' },
  { scope: 'Models', kind: 'HorizontalPodAutoscaler', verbs: keep, why: 'How many pods a revision has.' },
  { scope: 'Models', kind: 'PodDisruptionBudget', verbs: keep, why: 'How many of them may be away.' },
  { scope: 'Models', kind: 'Service', verbs: keep, why: 'Where clients and proxies find pods.' },
  {
    scope: 'Models',
    kind: 'VirtualService',
    verbs: keep,
    why: 'Which revision gets which share of the traffic.',
  },
  { scope: 'Models', kind: 'DestinationRule', verbs: keep, why: 'How proxies treat a revision’s pods.' },
  { scope: 'Models', kind: 'Pod', verbs: follow, why: 'Whether pods are ready, crash or cannot start.' },
  {
    scope: 'Models',
    kind: 'EndpointSlice',
    verbs: ['list'],
    why: 'Where a plain Service sends its clients.',
  },
  { scope: 'Models', kind: 'Event', verbs: ['create'], why: 'What kubectl describe tells.' },
  { scope: 'Gateways', kind: 'Gateway', verbs: ['get'], why: 'Which proxies have to prove a routing.' },
  { scope: 'Gateways', kind: 'Pod', verbs: ['list'], why: 'Where those proxies are.' },
  { scope: 'Gateways', kind: 'Service', verbs: ['list'], why: 'Which port of theirs to ask.' },
  {
    scope: 'Policies',
    kind: 'ValidatingAdmissionPolicy',
    verbs: ['get'],
    why: 'Whether deciders are held to their own names.',
    nameFrom: 'headgate.decisionPolicyName',
  },
  {
    scope: 'Policies',
    kind: 'ValidatingAdmissionPolicyBinding',
    verbs: ['get'],
    why: 'Whether that policy is in force.',
    nameFrom: 'headgate.decisionPolicyName',
  },
  {
    scope: 'Release',
    kind: 'Lease',
    verbs: [...follow, 'patch'],
    why: 'Which replica works.',
    nameFrom: 'headgate.fullname',
  },
  { scope: 'Release', kind: 'Lease', verbs: ['create'], why: 'The same, when somebody has removed it.' },
];

/** One right, as `kubectl auth can-i` takes it: `patch modeldeployments.headgate.dev/status`. */
export type Grant = string;

export interface QualifiedResource {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

export function grantOf(verb: string, { group, resource, subresource }: QualifiedResource): Grant {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${qualified}${subresource === undefined ? '' : `/${subresource}`}`;
}

export function resourceOf({ kind, subresource }: Grants): QualifiedResource {
  const { apiVersion, plural } = resourceType(kind);
  const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return { group, resource: plural, ...(subresource === undefined ? {} : { subresource }) };
}

/** Each right once, of one scope or of all. */
export function declaredGrants(scope?: GrantScope): ReadonlySet<Grant> {
  return new Set(
    grants
      .filter((entry) => scope === undefined || entry.scope === scope)
      .flatMap((entry) => entry.verbs.map((verb) => grantOf(verb, resourceOf(entry)))),
  );
}
