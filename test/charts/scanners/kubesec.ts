import { kubernetesSchemas, schemaLocation } from '../../support/kubernetes-schemas.ts';
import { part } from '../../bed/programs.ts';
import { runAnyway } from './run-anyway.ts';
import type { Finding, Scanner } from './scanner.ts';

interface Report {
  /** Kind/name.namespace */
  readonly object: string;
  readonly valid: boolean;
  readonly message?: string;
  readonly scoring: { readonly critical?: readonly { readonly id: string }[] };
}

/** Kinds that have no schema among Kubernetes' own are left to kubeconform. */
const UNKNOWN_KIND = /could not find schema/;

export const kubesec: Scanner = {
  name: 'kubesec',
  async scan(file) {
    const location = schemaLocation(await kubernetesSchemas());
    const words = ['scan', '--schema-location', location, file];
    const reports = JSON.parse(await runAnyway(part('kubesec'), words)) as readonly Report[];
    return reports.flatMap(({ object, valid, message = '', scoring }) => {
      const [name = ''] = object.split('.');
      const invalid = valid || UNKNOWN_KIND.test(message) ? [] : [`invalid: ${message}`];
      const rules = [...invalid, ...(scoring.critical ?? []).map(({ id }) => id)];
      return rules.map((rule): Finding => ({ scanner: 'kubesec', rule, object: name }));
    });
  },
};
