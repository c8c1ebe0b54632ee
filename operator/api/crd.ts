import { modelDeploymentSchema } from './model-deployment.ts';
import { API_GROUP, KIND, PLURAL } from './names.ts';
import { structural, type StructuralSchema } from './structural.ts';

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly description: string;
  readonly type?: 'string' | 'date';
  /** Shown with `-o wide` only. */
  readonly isWide?: boolean;
}

/** `kubectl get` answers "how is it going" without any other tool. */
const columns: readonly Column[] = [
  { name: 'Phase', jsonPath: '.status.phase', description: 'The present state in one word.' },
  { name: 'Reason', jsonPath: '.status.reason', description: 'Why, in one word.' },
  {
    name: 'Strategy',
    jsonPath: '.spec.rollout.strategy',
    description: 'How a new revision takes over.',
  },
  { name: 'Step', jsonPath: '.status.step', description: 'The step of the rollout.' },
  { name: 'Weight', jsonPath: '.status.weight', description: "The candidate's share of traffic." },
  { name: 'Stable', jsonPath: '.status.stable', description: 'The promoted revision.' },
  { name: 'Candidate', jsonPath: '.status.candidate', description: 'The revision that is being tried.' },
  { name: 'Ready', jsonPath: '.status.ready', description: 'Ready pods of those wanted.' },
  {
    name: 'Age',
    jsonPath: '.metadata.creationTimestamp',
    description: 'Since when it exists.',
    type: 'date',
  },
  { name: 'P95', jsonPath: '.status.p95', description: 'The 95th percentile of latency.', isWide: true },
  { name: 'URL', jsonPath: '.status.url', description: 'Where the model answers.', isWide: true },
  { name: 'Message', jsonPath: '.status.message', description: 'The state in one sentence.', isWide: true },
];

/** The definition of ModelDeployment for an API server. */
export function buildCustomResourceDefinition(): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['mdep'],
        categories: ['all'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(({ isWide = false, type = 'string', ...column }) => ({
            ...column,
            type,
            priority: isWide ? 1 : 0,
          })),
          schema: { openAPIV3Schema: wholeObject() },
        },
      ],
    },
  };
}

/** With the members that every Kubernetes object has, which the API server wants to see named. */
function wholeObject(): StructuralSchema {
  const { properties, ...rest } = structural(modelDeploymentSchema);
  return {
    ...rest,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(properties as Record<string, unknown>),
    },
  };
}
