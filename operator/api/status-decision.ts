import Type, { type Static } from 'typebox';
import { text } from './schema.ts';

export const DECISION_PHASES = ['Applied', 'Refused', 'Expired'] as const;
/** Applied: it is in force. Refused: it cannot be. Expired: what it was about is over. */
export type DecisionPhase = (typeof DECISION_PHASES)[number];

const sentence = (description: string) => text({ description, maxLength: 1024 });
const time = (description: string) => Type.String({ description, format: 'date-time', maxLength: 64 });
const revision = (description: string) => text({ description, maxLength: 63 });

/** How a decision is answered: on itself, and on the ModelDeployment. */
export const answerProperties = {
  phase: Type.Enum([...DECISION_PHASES], { description: 'What became of it.' }),
  reason: text({ description: 'Why, in one word for machines.', maxLength: 128 }),
  message: sentence('Why, in one sentence for people.'),
  verified: Type.Boolean({
    description:
      'Whether a ValidatingAdmissionPolicy held decidedBy to the name of whoever created it, as far as Headgate can tell.',
  }),
  at: time('When it was answered.'),
};

export const answeredDecisionSchema = Type.Object(
  {
    uid: text({ description: 'The uid of the RolloutDecision.', maxLength: 64 }),
    name: text({ description: 'Its name.', maxLength: 253 }),
    action: text({ description: 'What it asks for.', maxLength: 32 }),
    decidedBy: text({ description: 'Who has decided.', maxLength: 1024 }),
    createdAt: time('When it was made.'),
    ...answerProperties,
  },
  { description: 'One RolloutDecision that has been answered.' },
);

export const pausedSchema = Type.Object(
  {
    by: text({ description: 'Who has decided.', maxLength: 1024 }),
    reason: Type.Optional(text({ description: 'Why, in their words.', maxLength: 256 })),
    at: time('When.'),
  },
  { description: 'Held at its weights by a decision, until another one resumes it.' },
);

export const pendingMarkSchema = Type.Object(
  {
    revision: revision('The revision.'),
    aborted: Type.Optional(
      Type.Object(
        {
          reason: text({ description: 'One word for machines.', maxLength: 128 }),
          message: sentence('One sentence for people.'),
          at: time('When.'),
          rollbackTo: Type.Optional(revision('The revision to go to instead.')),
        },
        { description: 'That it is given up; left out: that it no longer is.' },
      ),
    ),
  },
  { description: 'What a decision makes of one revision.' },
);

export const wantedSchema = Type.Object(
  {
    revision: revision('The revision that the spec asks for.'),
    modelUri: text({ description: 'Its model.', maxLength: 2048 }),
    sha256: Type.Optional(
      text({ description: "The digest of its model's file, where known.", maxLength: 64 }),
    ),
  },
  { description: 'What the spec asks for while something else is the stable revision.' },
);

export type AnsweredDecision = Static<typeof answeredDecisionSchema>;
export type PendingMark = Static<typeof pendingMarkSchema>;
