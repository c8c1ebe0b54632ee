import { expect, it } from 'vitest';
import { planExecutors } from '../../../runtime/executor/executor-plan.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

it.each([
  { cpus: 1, memory: 1, model: 1, wish: {}, on: 'CPUs', plan: '1x1' },
  { cpus: 2, memory: 1, model: 1, wish: {}, on: 'CPUs', plan: '2x1' },
  { cpus: 2, memory: undefined, model: 1, wish: {}, on: 'CPUs', plan: '2x1' },
  { cpus: 3, memory: 4, model: 25, wish: {}, on: 'CPUs', plan: '3x1' },
  { cpus: 8, memory: 8, model: 25, wish: {}, on: 'CPUs', plan: '4x2' },
  { cpus: 9, memory: 8, model: 25, wish: {}, on: 'CPUs', plan: '4x2' },
  { cpus: 4, memory: 4, model: 500, wish: {}, on: 'CPUs', plan: '1x4' },
  { cpus: 4, memory: 10, model: 500, wish: {}, on: 'CPUs', plan: '2x2' },
  { cpus: 4, memory: 1, model: 4000, wish: {}, on: 'CPUs', plan: '1x4' },
  { cpus: 2, memory: 1, model: 1, wish: { executors: 1 }, on: 'CPUs', plan: '1x2' },
  { cpus: 2, memory: 1, model: 1, wish: { executors: 3 }, on: 'CPUs', plan: '3x1' },
  { cpus: 4, memory: 4, model: 1, wish: { threads: 2 }, on: 'CPUs', plan: '2x2' },
  { cpus: 2, memory: 4, model: 1, wish: { threads: 8 }, on: 'CPUs', plan: '1x8' },
  { cpus: 4, memory: 1, model: 4000, wish: { executors: 6, threads: 3 }, on: 'CPUs', plan: '6x3' },
  { cpus: 8, memory: 8, model: 25, wish: {}, on: 'a GPU', plan: '1x8' },
  { cpus: 8, memory: 8, model: 25, wish: { executors: 2 }, on: 'a GPU', plan: '2x4' },
])(
  'a container of $cpus CPUs and $memory GiB runs a model of $model MiB on $on as $plan when asked for $wish',
  ({ cpus, memory, model, wish, on, plan }) => {
    const container = {
      wholeCpus: cpus,
      memoryBytes: memory === undefined ? undefined : memory * GIBIBYTE,
      modelBytes: model * MEBIBYTE,
      isOnDevice: on === 'a GPU',
    };
    const { executors, threads } = planExecutors(container, {
      executors: undefined,
      threads: undefined,
      ...wish,
    });
    expect(`${executors}x${threads}`).toBe(plan);
  },
);
