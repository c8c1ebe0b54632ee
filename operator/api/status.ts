import Type, { type Static } from 'typebox';
import { listByKey, text, wholeNumber } from './schema.ts';
import { answeredDecisionSchema, pausedSchema, pendingMarkSchema, wantedSchema } from './status-decision.ts';

export const PHASES = [
  'Pending',
  'Progressing',
  'Paused',
  'Healthy',
  'Degraded',
  'Aborted',
  'Deleting',
] as const;
export type Phase = (typeof PHASES)[number];

export const OUTCOMES = ['Promoted', 'Aborted', 'Superseded', 'RolledBack'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Of the decisions that a ModelDeployment remembers. */
export const MOST_DECISIONS = 16;

const name = (description: string) => text({ description, maxLength: 63 });
const sentence = (description: string) => text({ description, maxLength: 1024 });
const time = (description: string) => Type.String({ description, format: 'date-time', maxLength: 64 });
const count = (description: string) => wholeNumber({ description, minimum: 0, maximum: 2_147_483_647 });
const weight = (description: string) => wholeNumber({ description, minimum: 0, maximum: 10_000 });

const conditionSchema = Type.Object(
  {
    type: text({ description: 'What it is about.', minLength: 1, maxLength: 316 }),
    status: Type.Enum(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'The generation of the spec that it speaks of.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    lastTransitionTime: time('When its status last changed.'),
    reason: text({ description: 'One word for machines.', minLength: 1, maxLength: 1024 }),
    message: text({ description: 'One sentence for people.', maxLength: 32_768 }),
  },
  { description: 'One aspect of the present state.' },
);

const revisionStatusSchema = Type.Object(
  {
    name: name('The revision.'),
    replicas: count('How many pods it has.'),
    readyReplicas: count('How many of them are ready.'),
    weight: weight('The share of traffic that is asked for, of 10000.'),
    provenWeight: Type.Optional(weight('The share of traffic that proxies are known to give it, of 10000.')),
    modelDigest: Type.Optional(
      text({ description: 'The SHA-256 digest of the loaded model.', maxLength: 64 }),
    ),
  },
  { description: 'One revision that has pods or traffic.' },
);

const rolloutStatusSchema = Type.Object(
  {
    id: name('The rollout.'),
    revision: name('The candidate.'),
    stepsHash: text({ description: 'The steps that it follows; edited steps start anew.', maxLength: 64 }),
    stepIndex: count('The step that it is at, counted from 0.'),
    stepEnteredAt: time('When it came to this step.'),
    startedAt: time('When it began.'),
    floorWeight: weight(
      'The weight at which this run of the steps began, of 10000; not gone below while it lasts.',
    ),
    paused: Type.Optional(pausedSchema),
    skipsSteps: Type.Optional(
      Type.Boolean({ description: 'Whether all steps that are left are skipped, as decided.' }),
    ),
  },
  { description: 'The rollout under way: the only memory of the operator beside its children.' },
);

const routingStatusSchema = Type.Object(
  {
    hash: text({ description: 'The routing that is asked for.', maxLength: 64 }),
    askedAt: time('When it was first asked for.'),
    writtenAt: Type.Optional(time('When it was first found written, for proxies to learn.')),
    provenAt: Type.Optional(time('When all proxies were found to use it.')),
  },
  { description: 'What proxies are asked to do.' },
);

const historySchema = Type.Object(
  {
    revision: name('The revision.'),
    outcome: Type.Enum([...OUTCOMES], { description: 'What became of it.' }),
    reason: Type.Optional(text({ description: 'One word for machines.', maxLength: 128 })),
    message: Type.Optional(sentence('One sentence for people.')),
    at: time('When.'),
  },
  { description: 'How one rollout ended.' },
);

export const statusSchema = Type.Object(
  {
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'The generation of the spec that this status speaks of.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    phase: Type.Optional(Type.Enum([...PHASES], { description: 'The present state in one word.' })),
    reason: Type.Optional(text({ description: 'Why, in one word for machines.', maxLength: 128 })),
    message: Type.Optional(sentence('What is happening, why it waits and what would move it.')),
    conditions: Type.Optional(
      Type.Array(conditionSchema, {
        description: 'The present state, aspect by aspect.',
        maxItems: 32,
        ...listByKey('type'),
      }),
    ),
    stable: Type.Optional(name('The promoted revision.')),
    candidate: Type.Optional(name('The revision that is being tried.')),
    step: Type.Optional(text({ description: 'The step of the rollout, such as 3/7.', maxLength: 16 })),
    weight: Type.Optional(
      text({ description: "The candidate's share of traffic, such as 25%.", maxLength: 16 }),
    ),
    ready: Type.Optional(text({ description: 'Ready pods of those wanted, such as 3/3.', maxLength: 32 })),
    p95: Type.Optional(text({ description: 'The 95th percentile of latency, such as 42ms.', maxLength: 16 })),
    url: Type.Optional(text({ description: 'Where the model answers.', maxLength: 1024 })),
    selector: Type.Optional(text({ description: 'The label selector of the pods.', maxLength: 512 })),
    revisions: Type.Optional(
      Type.Array(revisionStatusSchema, {
        description: 'The revisions that have pods or traffic.',
        maxItems: 32,
        ...listByKey('name'),
      }),
    ),
    rolloutId: Type.Optional(name('The rollout under way, else the last one: what a RolloutDecision names.')),
    rollout: Type.Optional(rolloutStatusSchema),
    wanted: Type.Optional(wantedSchema),
    decisions: Type.Optional(
      Type.Array(answeredDecisionSchema, {
        description: 'The last decisions, the newest first.',
        maxItems: MOST_DECISIONS,
        ...listByKey('uid'),
      }),
    ),
    decisionsForgottenUntil: Type.Optional(
      time(
        'When the latest decision was made that `decisions` holds no more: one no later that has no answer expires.',
      ),
    ),
    pendingMarks: Type.Optional(
      Type.Array(pendingMarkSchema, {
        description: 'What was decided of revisions and does not stand on their ControllerRevisions yet.',
        maxItems: MOST_DECISIONS,
        ...listByKey('revision'),
      }),
    ),
    routing: Type.Optional(routingStatusSchema),
    history: Type.Optional(
      Type.Array(historySchema, {
        description: 'How the last rollouts ended, the newest first.',
        maxItems: 10,
        'x-kubernetes-list-type': 'atomic',
      }),
    ),
  },
  { description: 'What is so; written by Headgate alone.' },
);

export type ModelDeploymentStatus = Static<typeof statusSchema>;
export type Condition = Static<typeof conditionSchema>;
export type RevisionStatus = Static<typeof revisionStatusSchema>;
export type RolloutStatus = Static<typeof rolloutStatusSchema>;
export type RoutingStatus = Static<typeof routingStatusSchema>;
export type HistoryEntry = Static<typeof historySchema>;
