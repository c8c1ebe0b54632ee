import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';

type Rollout = ModelDeployment['spec']['rollout'];

interface Shares {
  readonly users: number;
  readonly copies: number;
}

/** In percent, what the candidate has when a step is over; written down here once more, apart from the strategies. */
export const sharesUpTo: Readonly<
  Record<Rollout['strategy'], (rollout: Rollout, stepIndex: number) => Shares>
> = {
  Canary: ({ canary }, stepIndex) => {
    const steps = (canary?.steps ?? []).slice(0, stepIndex + 1);
    return { users: steps.findLast(({ weight }) => weight !== undefined)?.weight ?? 0, copies: 0 };
  },
  BlueGreen: (_rollout, stepIndex) => ({ users: stepIndex < 2 ? 0 : 100, copies: 0 }),
  Shadow: ({ shadow }, stepIndex) => {
    const switchesAt = shadow?.then === 'Promote' ? 2 : 3;
    return stepIndex < switchesAt ? { users: 0, copies: shadow?.percent ?? 0 } : { users: 100, copies: 0 };
  },
  RollingUpdate: ({ rollingUpdate }, stepIndex) => ({
    users: Math.min(100, (stepIndex + 1) * (rollingUpdate?.surgePercent ?? 25)),
    copies: 0,
  }),
  Recreate: () => ({ users: 100, copies: 0 }),
};
