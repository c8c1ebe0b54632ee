import Type, { type Static } from 'typebox';
import type { ObjectMeta } from './object.ts';
import { rules } from './schema.ts';
import { modelSchema } from './spec-model.ts';
import { resourcesSchema, runtimeSchema } from './spec-runtime.ts';
import { podTemplateSchema } from './spec-pod-template.ts';
import { rolloutSchema } from './spec-rollout.ts';
import { scalingSchema, trafficSchema } from './spec-traffic.ts';
import { statusSchema, type ModelDeploymentStatus } from './status.ts';

export type {
  Condition,
  HistoryEntry,
  ModelDeploymentStatus,
  Outcome,
  Phase,
  RevisionStatus,
  RolloutStatus,
  RoutingStatus,
} from './status.ts';
export { MOST_DECISIONS } from './status.ts';
export type { AnsweredDecision, PendingMark } from './status-decision.ts';
export { podShapeOf } from './pod-shape.ts';
export type { CanaryStep } from './spec-rollout.ts';
export type { StrategyName } from '../strategies/index.ts';

/** The fields that shape pods: they alone make a revision. */
const podShapeProperties = {
  model: modelSchema,
  runtime: Type.Optional(runtimeSchema),
  resources: Type.Optional(resourcesSchema),
  podTemplate: Type.Optional(podTemplateSchema),
};

const PREVIEW_HOST_IS_ABSENT =
  '!has(self.rollout.blueGreen) || !has(self.rollout.blueGreen.preview) || !has(self.rollout.blueGreen.preview.host)';

export const specSchema = Type.Object(
  {
    ...podShapeProperties,
    scaling: scalingSchema,
    traffic: trafficSchema,
    rollout: rolloutSchema,
  },
  {
    description: 'What is wanted.',
    ...rules(
      {
        rule: '!has(self.resources) || !has(self.resources.gpu) || (has(self.runtime) && has(self.runtime.session) && has(self.runtime.session.executionProviders) && self.runtime.session.executionProviders.exists(name, name != "cpu"))',
        message:
          'spec.resources.gpu reserves GPUs that the model does not run on; name cuda in spec.runtime.session.executionProviders',
      },
      {
        rule: `${PREVIEW_HOST_IS_ABSENT} || has(self.traffic.gateways)`,
        message:
          'spec.rollout.blueGreen.preview.host needs spec.traffic.gateways, which answer there; name them, or preview by header',
      },
      {
        rule: `${PREVIEW_HOST_IS_ABSENT} || !has(self.traffic.hosts) || !self.traffic.hosts.exists(host, host == self.rollout.blueGreen.preview.host)`,
        message:
          "spec.rollout.blueGreen.preview.host must not be one of spec.traffic.hosts, which are the users'; choose another",
      },
    ),
  },
);

/** The whole object, as far as Headgate defines it: the source of the CRD, the types and the reference page. */
export const modelDeploymentSchema = Type.Object(
  { spec: specSchema, status: Type.Optional(statusSchema) },
  {
    description: 'A machine-learning model in production.',
    ...rules(
      {
        rule: 'size(self.metadata.name) <= 52',
        message:
          'metadata.name must be at most 52 characters long, because the names of its children add 11; choose a shorter name',
      },
      {
        rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message:
          'metadata.name must begin with a letter and hold only lower-case letters, digits and dashes, because it becomes the name of a Service',
      },
    ),
  },
);

/** What the user wants, with every default filled in by the API server. */
export type ModelDeploymentSpec = Static<typeof specSchema>;

/** What one revision is made of: a change of it makes a new revision, a change of anything else does not. */
export type PodShape = Pick<ModelDeploymentSpec, keyof typeof podShapeProperties>;

/** A ModelDeployment as the API server returns it. */
export interface ModelDeployment {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta & {
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
  };
  readonly spec: ModelDeploymentSpec;
  readonly status?: ModelDeploymentStatus;
}
