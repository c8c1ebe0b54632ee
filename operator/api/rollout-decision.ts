import Type, { type Static } from 'typebox';
import type { ObjectMeta } from './object.ts';
import { rules, text, textOfForm, wholeNumber } from './schema.ts';
import { answerProperties } from './status-decision.ts';

/** What a person may decide of a rollout. In lower case each is the RBAC verb on the ModelDeployment that allows it. */
export const DECISION_ACTIONS = [
  'Promote',
  'PromoteFull',
  'SkipStep',
  'Pause',
  'Resume',
  'Abort',
  'Retry',
  'Rollback',
] as const;
export type DecisionAction = (typeof DECISION_ACTIONS)[number];

const specSchema = Type.Object(
  {
    modelDeployment: textOfForm(
      '^[a-z]([-a-z0-9]*[a-z0-9])?$',
      'spec.modelDeployment must be the name of a ModelDeployment in the same namespace',
      {
        description: 'The ModelDeployment, in the same namespace, whose rollout is decided about.',
        minLength: 1,
        maxLength: 52,
        example: 'fraud',
      },
    ),
    rollout: text({
      description:
        'The rollout that is decided about: status.rolloutId of the ModelDeployment. A decision about another one than the present, or for Retry and Rollback the last, never has an effect.',
      minLength: 1,
      maxLength: 63,
      example: 'q94j8tpgnz-1764106430123',
    }),
    action: Type.Enum([...DECISION_ACTIONS], {
      description:
        'Promote passes the present wait. PromoteFull skips all steps that are left, though neither capacity nor proof. SkipStep goes to the next step. Pause holds the weights as they are, Resume lifts that. Abort ends the rollout and takes all traffic back to the stable revision. Retry takes up a revision that was given up. Rollback goes to an earlier revision, without steps.',
      example: 'Promote',
    }),
    step: Type.Optional(
      wholeNumber({
        description:
          'How many steps are completed, as STEP shows before the slash: at any other step the decision expires. Left out: whatever the step is.',
        minimum: 0,
        maximum: 32,
        example: 3,
      }),
    ),
    revision: Type.Optional(
      text({
        description:
          'For Rollback alone: the revision to go to, one that was promoted once and is kept. Left out: the one promoted before the stable one.',
        minLength: 1,
        maxLength: 63,
        example: 'fraud-9z2z9wv9vt',
      }),
    ),
    decidedBy: text({
      description:
        'Who decides: the name under which the API server knows you (`kubectl auth whoami`). A ValidatingAdmissionPolicy refuses any other.',
      minLength: 1,
      maxLength: 512,
      example: 'alice@example.com',
    }),
    onBehalfOf: Type.Optional(
      text({
        description:
          'On whose behalf a tool decides, in its own words; shown as unverified, and only for those who have the verb attest.',
        minLength: 1,
        maxLength: 256,
        example: 'bob@example.com',
      }),
    ),
    reason: Type.Optional(
      text({
        description: 'Why, in words for those who read the history.',
        minLength: 1,
        maxLength: 256,
        example: 'p95 is fine',
      }),
    ),
  },
  {
    description: 'What is decided; never changed afterwards.',
    ...rules(
      {
        rule: 'self == oldSelf',
        message: 'spec must stay as it was made, because a decision is made once; create another one',
      },
      {
        rule: "!has(self.revision) || self.action == 'Rollback'",
        message: 'spec.revision must be left out unless spec.action is Rollback',
      },
      {
        rule: "!has(self.step) || !(self.action in ['Retry', 'Rollback'])",
        message: 'spec.step must be left out for Retry and Rollback, which stand at no step',
      },
    ),
  },
);

const statusSchema = Type.Object(answerProperties, {
  description: 'What became of it; written by Headgate alone.',
});

/** One word of a person on one rollout. */
export const rolloutDecisionSchema = Type.Object(
  { spec: specSchema, status: Type.Optional(statusSchema) },
  { description: "A person's word on one rollout of a ModelDeployment; an audit that outlives it." },
);

/** A RolloutDecision as the API server returns it. */
export interface RolloutDecision {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Static<typeof specSchema>;
  readonly status?: Static<typeof statusSchema>;
}
