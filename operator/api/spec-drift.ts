import Type from 'typebox';
import { duration, rules, textOfForm, wholeNumber } from './schema.ts';

export const driftSchema = Type.Object(
  {
    baseline: Type.Enum(['Learned', 'Shipped', 'File'], {
      description:
        'What values are compared with: those of the first requests to each pod, baseline.json beside the model, or another file.',
      example: 'Learned',
    }),
    file: Type.Optional(
      textOfForm(
        '^/[^ ]+$',
        'spec.runtime.drift.file must be an absolute path, for example /etc/baseline/fraud.json',
        {
          description: 'The path of the baseline in the pod, where podTemplate has mounted it.',
          maxLength: 512,
          example: '/etc/baseline/fraud.json',
        },
      ),
    ),
    learnRows: Type.Optional(
      wholeNumber({
        description: 'Of how many rows a baseline is learned; without it, 1000.',
        minimum: 100,
        maximum: 10_000,
        example: 5000,
      }),
    ),
    window: Type.Optional(
      duration({
        field: 'spec.runtime.drift.window',
        description: 'How far back the values go that are compared; without it, 10m.',
        example: '1h',
      }),
    ),
  },
  {
    description:
      'Whether inputs and outputs still look as they did: distances to a baseline, nulls, ranges and unseen categories of each feature, as metrics. Without it, nothing is compared.',
    ...rules(
      {
        rule: "has(self.file) == (self.baseline == 'File')",
        message:
          'spec.runtime.drift.file is for the baseline File, which needs it; remove it, or choose that baseline and give the path',
      },
      {
        rule: "!has(self.window) || !self.window.matches('^([0-9]{1,6}([.][0-9]{1,3})?(ms|s|m|h))+$') || (duration(self.window) >= duration('10s') && duration(self.window) <= duration('24h'))",
        message: 'spec.runtime.drift.window must be from 10s to 24h',
      },
    ),
  },
);
