import type { TSchema } from 'typebox';
import { modelDeploymentSchema } from './model-deployment.ts';
import { API_GROUP, DECISION_KIND, DECISION_PLURAL, KIND, PLURAL } from './names.ts';
import { rolloutDecisionSchema } from './rollout-decision.ts';
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

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly schema: TSchema;
  readonly columns: readonly Column[];
  /** Under which `kubectl get all` and the like find it. */
  readonly categories: readonly string[];
}

const age: Column = {
  name: 'Age',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when it exists.',
  type: 'date',
};

/** `kubectl get` answers "how is it going" without any other tool. */
const modelDeployment: Kind = {
  kind: KIND,
  plural: PLURAL,
  shortName: 'mdep',
  categories: ['all'],
  schema: modelDeploymentSchema,
  columns: [
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
    age,
    { name: 'P95', jsonPath: '.status.p95', description: 'The 95th percentile of latency.', isWide: true },
    { name: 'URL', jsonPath: '.status.url', description: 'Where the model answers.', isWide: true },
    {
      name: 'Rollout',
      jsonPath: '.status.rolloutId',
      description: 'The rollout that decisions name.',
      isWide: true,
    },
    { name: 'Message', jsonPath: '.status.message', description: 'The state in one sentence.', isWide: true },
  ],
};

/** `kubectl get` tells who decided what, and what became of it. */
const rolloutDecision: Kind = {
  kind: DECISION_KIND,
  plural: DECISION_PLURAL,
  shortName: 'rdec',
  categories: [],
  schema: rolloutDecisionSchema,
  columns: [
    { name: 'Model', jsonPath: '.spec.modelDeployment', description: 'The ModelDeployment.' },
    { name: 'Rollout', jsonPath: '.spec.rollout', description: 'The rollout that is decided about.' },
    { name: 'Action', jsonPath: '.spec.action', description: 'What is decided.' },
    { name: 'By', jsonPath: '.spec.decidedBy', description: 'Who decides.' },
    { name: 'Phase', jsonPath: '.status.phase', description: 'What became of it.' },
    { name: 'Reason', jsonPath: '.status.reason', description: 'Why, in one word.' },
    age,
    { name: 'For', jsonPath: '.spec.onBehalfOf', description: 'On whose behalf.', isWide: true },
    { name: 'Message', jsonPath: '.status.message', description: 'Why, in one sentence.', isWide: true },
  ],
};

/** The definitions of everything that Headgate adds to an API server. */
export function buildCustomResourceDefinitions(): readonly CustomResourceDefinition[] {
  return [modelDeployment, rolloutDecision].map(build);
}

function build({ kind, plural, shortName, schema, columns, categories }: Kind): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        ...(categories.length > 0 && { categories }),
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
          schema: { openAPIV3Schema: wholeObject(schema) },
        },
      ],
    },
  };
}

/** With the members that every Kubernetes object has, which the API server wants to see named. */
function wholeObject(schema: TSchema): StructuralSchema {
  const { properties, ...rest } = structural(schema);
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
