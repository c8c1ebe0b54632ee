import { grantOf, type Grant } from '../../operator/kube/grants.ts';
import type { Rule } from './kinds.ts';

/** group × resource × verb is one grant. */
export function grantsOf({ apiGroups, resources, verbs }: Rule): Grant[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((words) => {
      const [resource = '', subresource] = words.split('/');
      const qualified = { group, resource, ...(subresource === undefined ? {} : { subresource }) };
      return verbs.map((verb) => grantOf(verb, qualified));
    }),
  );
}
