import { leaseType } from '../controller/lease.ts';
import type { ResourceType } from '../controller/resource-type.ts';

/** The kinds that are kept in memory by a list and a watch. */
export const cachedTypes = {
  ModelDeployment: {
    apiVersion: 'headgate.dev/v1alpha1',
    kind: 'ModelDeployment',
    plural: 'modeldeployments',
  },
  RolloutDecision: {
    apiVersion: 'headgate.dev/v1alpha1',
    kind: 'RolloutDecision',
    plural: 'rolloutdecisions',
  },
  Deployment: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  Service: { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  HorizontalPodAutoscaler: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
  },
  PodDisruptionBudget: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
  },
  ControllerRevision: { apiVersion: 'apps/v1', kind: 'ControllerRevision', plural: 'controllerrevisions' },
  VirtualService: { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', plural: 'virtualservices' },
  DestinationRule: {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    plural: 'destinationrules',
  },
  Pod: { apiVersion: 'v1', kind: 'Pod', plural: 'pods' },
} as const satisfies Record<string, ResourceType>;

export type CachedKind = keyof typeof cachedTypes;

export const cachedKinds = Object.keys(cachedTypes) as readonly CachedKind[];

/** The kinds that are read when a pass needs them, and not watched. */
const askedTypes = {
  Gateway: { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', plural: 'gateways' },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices' },
  Event: { apiVersion: 'v1', kind: 'Event', plural: 'events' },
  ValidatingAdmissionPolicy: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
  },
  ValidatingAdmissionPolicyBinding: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
  },
  Lease: leaseType,
} as const satisfies Record<string, ResourceType>;

export type KnownKind = CachedKind | keyof typeof askedTypes;

const types: Readonly<Record<string, ResourceType>> = { ...cachedTypes, ...askedTypes };

export function isCachedKind(kind: string): kind is CachedKind {
  return Object.hasOwn(cachedTypes, kind);
}

export function resourceType(kind: string): ResourceType {
  const type = types[kind];
  if (type === undefined) throw new Error(`no path is known for objects of kind ${kind}`);
  return type;
}
