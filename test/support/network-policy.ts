import type { KubernetesObject } from '../../operator/api/object.ts';

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'Exists';
    readonly values?: readonly string[];
  }[];
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}

interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
}

export interface NetworkPolicy extends KubernetesObject {
  readonly kind: 'NetworkPolicy';
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Connection {
  /** undefined: not a pod of the cluster. */
  readonly from?: Pod;
  readonly to?: Pod;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

/** Whether policies let a connection through, as Kubernetes says what they mean; the test bed's network enforces none. */
export function isAllowed(policies: readonly NetworkPolicy[], connection: Connection): boolean {
  return isAllowedAt(policies, 'Egress', connection) && isAllowedAt(policies, 'Ingress', connection);
}

/** A pod that no policy selects in a direction takes everything; else one rule of one of them has to fit. */
function isAllowedAt(
  policies: readonly NetworkPolicy[],
  direction: 'Ingress' | 'Egress',
  connection: Connection,
): boolean {
  const [self, other] =
    direction === 'Ingress' ? [connection.to, connection.from] : [connection.from, connection.to];
  if (self === undefined) return true;
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === self.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, self.labels),
  );
  if (selecting.length === 0) return true;
  return selecting
    .flatMap(({ spec }) => (direction === 'Ingress' ? spec.ingress : spec.egress) ?? [])
    .some((rule) => fitsPeer(rule.from ?? rule.to, other, self) && fitsPort(rule, connection));
}

function fitsPort({ ports }: Rule, { port, protocol = 'TCP' }: Connection): boolean {
  return ports?.some((each) => each.port === port && each.protocol === protocol) ?? true;
}

function fitsPeer(peers: readonly Peer[] | undefined, other: Pod | undefined, self: Pod): boolean {
  if (peers === undefined) return true;
  return peers.some(({ namespaceSelector, podSelector }) => {
    if (other === undefined) return false;
    const isNamespace =
      namespaceSelector === undefined
        ? other.namespace === self.namespace
        : selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace });
    return isNamespace && selects(podSelector ?? {}, other.labels);
  });
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) =>
      operator === 'Exists' ? key in labels : values.includes(labels[key] ?? ''),
    )
  );
}
