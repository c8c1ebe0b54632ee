import { APPLY_CONTENT_TYPE } from './client.ts';
import { grantOf, type Grant, type GrantVerb, type QualifiedResource } from './grants.ts';
import type { ApiRequest, Transport } from '../controller/transport.ts';

/** The program was about to do what it does not declare that it does. */
export class UndeclaredRequestError extends Error {
  override readonly name = 'UndeclaredRequestError';
}

/** A transport that sends nothing but what the declared rights cover. */
export function declaredRequestsOnly(transport: Transport, declared: ReadonlySet<Grant>): Transport {
  return {
    async request(request) {
      refuseUndeclared(request, declared);
      return await transport.request(request);
    },
    lines(request, options) {
      refuseUndeclared(request, declared);
      return transport.lines(request, options);
    },
  };
}

function refuseUndeclared(request: ApiRequest, declared: ReadonlySet<Grant>): void {
  const missing = neededGrants(request).filter((grant) => !declared.has(grant));
  if (missing.length === 0) return;
  throw new UndeclaredRequestError(
    `${request.method} ${request.path} needs the right to ${missing.join(' and ')}, which operator/kube/grants.ts does not declare`,
  );
}

/** The rights that a request needs; none for one that asks for no resource, which everybody may. */
export function neededGrants(request: ApiRequest): readonly Grant[] {
  const target = targetOf(request.path);
  return target === undefined ? [] : verbsOf(request, target).map((verb) => grantOf(verb, target));
}

interface Target extends QualifiedResource {
  readonly isNamed: boolean;
}

/** Takes `/api/VERSION/…` and `/apis/GROUP/VERSION/…`, with or without `namespaces/NAME` before the resource. */
function targetOf(path: string): Target | undefined {
  const [root, ...rest] = path.split('/').slice(1);
  const [group, words] = root === 'api' ? ['', rest.slice(1)] : [rest[0] ?? '', rest.slice(2)];
  const isNamespaced = words[0] === 'namespaces' && words.length > 2;
  const [resource, name, subresource] = isNamespaced ? words.slice(2) : words;
  if (resource === undefined) return undefined;
  return {
    group,
    resource,
    isNamed: name !== undefined,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function verbsOf(request: ApiRequest, target: Target): readonly GrantVerb[] {
  switch (request.method) {
    case 'GET':
      return [readingVerb(request, target)];
    case 'POST':
      return ['create'];
    case 'PATCH':
      return patchingVerbs(request, target);
    case 'DELETE':
      return [target.isNamed ? 'delete' : 'deletecollection'];
  }
}

function readingVerb({ query }: ApiRequest, { isNamed }: Target): GrantVerb {
  if (isNamed) return 'get';
  return query?.['watch'] === 'true' ? 'watch' : 'list';
}

/** An apply makes an object that is not there, but never a status. */
function patchingVerbs({ contentType }: ApiRequest, { subresource }: Target): readonly GrantVerb[] {
  const mayCreate = contentType === APPLY_CONTENT_TYPE && subresource === undefined;
  return mayCreate ? ['patch', 'create'] : ['patch'];
}
