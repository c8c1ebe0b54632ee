import Type, { type Static } from 'typebox';
import { durationMs } from '../api/duration.ts';
import { duration, HOST_PATTERN, rules, textOfForm } from '../api/schema.ts';
import { FULL_WEIGHT, splitBetween, type Preview } from '../traffic/routing.ts';
import type { Strategy } from './strategy.ts';

const FIELD = 'spec.rollout.blueGreen';

const header = Type.Object(
  {
    name: textOfForm(
      '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      `${FIELD}.preview.header.name must be the name of a header in lower case, for example x-preview`,
      {
        description: 'The name of the header, in lower case.',
        minLength: 1,
        maxLength: 64,
        example: 'x-preview',
        ...rules({
          rule: "self != 'host' && !self.startsWith('x-headgate-')",
          message: `${FIELD}.preview.header.name must be neither host nor one of Headgate's own x-headgate-…; choose another, for example x-preview`,
        }),
      },
    ),
    value: textOfForm(
      '^[!-~]+$',
      `${FIELD}.preview.header.value must hold visible characters only, without spaces, for example next`,
      { description: 'Its whole value.', minLength: 1, maxLength: 128, example: 'next' },
    ),
  },
  { description: 'Requests with this header get the candidate.' },
);

const preview = Type.Object(
  {
    header: Type.Optional(header),
    host: Type.Optional(
      textOfForm(
        HOST_PATTERN,
        `${FIELD}.preview.host must be a DNS name in lower case, with a dot and without scheme, port or path, for example preview.example.com`,
        {
          description:
            'Requests to this host at the gateways of spec.traffic get the candidate; while there is none, nobody answers there.',
          minLength: 1,
          maxLength: 253,
          example: 'preview.example.com',
          ...rules({
            rule: "!self.startsWith('*')",
            message: `${FIELD}.preview.host must be one host without *, for example preview.example.com`,
          }),
        },
      ),
    ),
  },
  {
    description: 'How testers reach the candidate before users do; left out: nobody does.',
    ...rules({
      rule: 'has(self.header) || has(self.host)',
      message: `${FIELD}.preview must hold a header, a host or both; name one, or leave preview out`,
    }),
  },
);

const autoPromote = Type.Object(
  {
    after: duration({
      field: `${FIELD}.autoPromote.after`,
      description:
        'How long the candidate stays in preview, counted from the moment at which it is ready for all.',
      example: '5m',
    }),
  },
  { description: 'Switches without anybody; left out: the switch waits for a decision or an edit.' },
);

export const blueGreenSchema = Type.Object(
  {
    preview: Type.Optional(preview),
    autoPromote: Type.Optional(autoPromote),
    keepOldFor: duration({
      field: `${FIELD}.keepOldFor`,
      description:
        'How long the old revision keeps all its pods after the switch, so that going back needs none.',
      default: '10m',
    }),
    // What people bring along from other tools; any other name is refused by the API server as an unknown field.
    autoPromotionEnabled: Type.Optional(Type.Boolean({ description: 'Refused: see autoPromote.' })),
  },
  {
    description: 'A candidate at full size beside the stable, and one switch of all users.',
    ...rules({
      rule: '!has(self.autoPromotionEnabled)',
      message: `${FIELD} has no autoPromotionEnabled; write autoPromote: {after: 5m} to switch by itself, or leave it out to decide`,
    }),
  },
);

export type BlueGreenConfiguration = Static<typeof blueGreenSchema>;

/** The steps: the candidate comes to full size and into preview, somebody or time decides, all users switch. */
const WAIT = 1;
const SWITCH = 2;

/** All users at once, there and back: https://martinfowler.com/bliki/BlueGreenDeployment.html */
export const blueGreen: Strategy<BlueGreenConfiguration> = {
  stepCount: () => SWITCH + 1,

  // Who goes back to what he has just left has seen enough of it.
  firstStep: (_configuration, { weight, isWarm }) => (isWarm || weight === FULL_WEIGHT ? SWITCH : 0),

  demand(configuration, { stable, candidate, stepIndex, floorWeight }) {
    const isSwitched = stepIndex >= SWITCH;
    const routing = splitBetween(stable, candidate, isSwitched ? FULL_WEIGHT : floorWeight);
    return {
      routing: isSwitched ? routing : { ...routing, previews: previewsOf(configuration, candidate) },
      candidateShare: FULL_WEIGHT,
    };
  },

  wait({ autoPromote: automatic }, stepIndex, enteredAtMs) {
    if (stepIndex !== WAIT) return undefined;
    return automatic === undefined
      ? { kind: 'Decision' }
      : { kind: 'Until', timeMs: enteredAtMs + durationMs(automatic.after) };
  },

  keepOldMs: ({ keepOldFor }) => durationMs(keepOldFor),
};

function previewsOf({ preview: asked }: BlueGreenConfiguration, revision: string): readonly Preview[] {
  return [
    ...(asked?.header === undefined ? [] : [{ revision, match: { header: asked.header } }]),
    ...(asked?.host === undefined ? [] : [{ revision, match: { host: asked.host } }]),
  ];
}
