import { grantOf, grants, resourceOf, type Grants, type GrantScope } from '../operator/kube/grants.ts';

/** The chart's RBAC rules as named templates: of the operator wherever models are, and of what it reads elsewhere. */
export function buildRules(): string {
  const operator = withoutRepetition([...ofScope('Models'), ...ofScope('Gateways')]);
  return [
    `{{- /* Written by scripts/generate.ts from the rights that operator/kube/grants.ts declares; change them there and run
     \`npm run generate\`. */}}`,
    template('operatorRules', operator),
    template('gatewayRules', ofScope('Gateways')),
    template('releaseRules', ofScope('Release')),
    template('policyRules', ofScope('Policies')),
    '',
  ].join('\n');
}

function ofScope(scope: GrantScope): readonly Grants[] {
  return grants.filter((entry) => entry.scope === scope);
}

/** What an earlier entry grants already is left out of later ones. */
function withoutRepetition(entries: readonly Grants[]): readonly Grants[] {
  const seen = new Set<string>();
  return entries.flatMap((entry) => {
    const verbs = entry.verbs.filter((verb) => !seen.has(grantOf(verb, resourceOf(entry))));
    for (const verb of verbs) seen.add(grantOf(verb, resourceOf(entry)));
    return verbs.length === 0 ? [] : [{ ...entry, verbs }];
  });
}

function template(name: string, entries: readonly Grants[]): string {
  return [`{{- define "headgate.${name}" }}`, ...entries.map(rule), '{{- end }}'].join('\n');
}

function rule(entry: Grants): string {
  const { group, resource, subresource } = resourceOf(entry);
  return `  # ${entry.why}
  - apiGroups: [${group === '' ? '""' : group}]
    resources: [${subresource === undefined ? resource : `${resource}/${subresource}`}]
${nameOf(entry)}    verbs: [${entry.verbs.join(', ')}]`;
}

function nameOf({ nameFrom }: Grants): string {
  return nameFrom === undefined ? '' : `    resourceNames: [{{ include "${nameFrom}" . }}]\n`;
}
