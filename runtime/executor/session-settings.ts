import { JsonSettings } from '../config/json-settings.ts';
import type { Settings } from '../config/settings.ts';
import { executionProviders, type ExecutionProvider } from './execution-providers.ts';

const optimizations = ['disabled', 'basic', 'extended', 'all'] as const;

export interface SessionSettings {
  /** In the order in which they are tried; the first that can be used is used alone. */
  readonly providers: readonly ExecutionProvider[];
  readonly graphOptimization: (typeof optimizations)[number];
  /** Memory that is kept for the next run instead of given back. */
  readonly memoryArena: boolean;
  /** Memory laid out beforehand for shapes that come again. */
  readonly memoryPattern: boolean;
}

/** ONNX Runtime's own defaults, on the CPU. */
export const defaultSession: SessionSettings = {
  providers: ['cpu'],
  graphOptimization: 'all',
  memoryArena: true,
  memoryPattern: true,
};

const VARIABLE = 'HEADGATE_SESSION';

function isProvider(name: string): name is ExecutionProvider {
  return (executionProviders as readonly string[]).includes(name);
}

function readProviders(session: JsonSettings): readonly ExecutionProvider[] {
  const names = session.texts('executionProviders') ?? defaultSession.providers;
  const providers = names.filter(isProvider);
  if (providers.length > 0 && providers.length === names.length) return providers;
  return session.fail('executionProviders', `a list of ${executionProviders.join(', ')}`);
}

function readOptimization(session: JsonSettings): SessionSettings['graphOptimization'] {
  const name = session.text('graphOptimization')?.toLowerCase() ?? defaultSession.graphOptimization;
  const known = optimizations.find((optimization) => optimization === name);
  return known ?? session.fail('graphOptimization', `one of ${optimizations.join(', ')}`);
}

/** `spec.runtime.session` as JSON. */
export function readSessionSettings(settings: Settings): SessionSettings {
  const value = settings.json(VARIABLE);
  if (value === undefined) return defaultSession;
  const session = new JsonSettings(settings, VARIABLE, value);
  const read: SessionSettings = {
    providers: readProviders(session),
    graphOptimization: readOptimization(session),
    memoryArena: session.flag('memoryArena') ?? defaultSession.memoryArena,
    memoryPattern: session.flag('memoryPattern') ?? defaultSession.memoryPattern,
  };
  session.end();
  return read;
}
