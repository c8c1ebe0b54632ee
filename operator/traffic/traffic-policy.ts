import Type, { type Static } from 'typebox';

const patterns = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 317 }), { description, minItems: 1, maxItems: 256 });

/** What the platform allows: in each entry, all of its namespaces may serve all of its hosts through all of its gateways. */
export const trafficPolicySchema = Type.Array(
  Type.Object(
    {
      namespaces: patterns('Namespaces of ModelDeployments.'),
      gateways: patterns('Istio Gateways as namespace/name.'),
      hosts: patterns('DNS names.'),
    },
    { additionalProperties: false },
  ),
  { description: 'In every pattern * stands for any characters.', maxItems: 1024 },
);

export type TrafficPolicy = Static<typeof trafficPolicySchema>;

export interface HostUse {
  readonly namespace: string;
  readonly gateway: string;
  readonly host: string;
}

export function isAllowed(policy: TrafficPolicy, { namespace, gateway, host }: HostUse): boolean {
  return policy.some(
    ({ namespaces, gateways, hosts }) =>
      namespaces.some((pattern) => covers(pattern, namespace)) &&
      gateways.some((pattern) => covers(pattern, gateway)) &&
      hosts.some((pattern) => covers(pattern, host)),
  );
}

/** `*.example.com` covers every host below it and the wildcard itself, but no wildcard that reaches further. */
function covers(pattern: string, text: string): boolean {
  const [start = '', ...others] = pattern.split('*');
  const end = others.pop();
  if (end === undefined) return text === pattern;
  if (!text.startsWith(start) || !text.endsWith(end) || text.length < start.length + end.length) return false;
  const middle = text.slice(start.length, text.length - end.length);
  return others.reduce<string | undefined>(afterFirst, middle) !== undefined;
}

function afterFirst(text: string | undefined, part: string): string | undefined {
  const at = text?.indexOf(part) ?? -1;
  return at === -1 ? undefined : text?.slice(at + part.length);
}
