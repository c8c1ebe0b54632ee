import { JsonSettings } from '../config/json-settings.ts';
import type { Settings } from '../config/settings.ts';

/** What the outputs of the model mean to people. */
export interface OutputSettings {
  /** Of the classes, in the order of the model's output. */
  readonly labels: readonly string[];
  /** The output that has a probability for each class; undefined: the only one that could. */
  readonly probabilities: string | undefined;
  /** How many classes a prediction names. */
  readonly topK: number;
  /** Below this highest probability, from 0 to 1, a prediction is marked. */
  readonly lowConfidence: number | undefined;
  /** The outputs of a regressor, each with one number for each row. */
  readonly value: string | undefined;
  readonly lower: string | undefined;
  readonly upper: string | undefined;
}

const VARIABLE = 'HEADGATE_OUTPUT';
const DEFAULT_TOP_K = 5;

export const noOutputSettings: OutputSettings = {
  labels: [],
  probabilities: undefined,
  topK: DEFAULT_TOP_K,
  lowConfidence: undefined,
  value: undefined,
  lower: undefined,
  upper: undefined,
};

/** `spec.runtime.output` as JSON. */
export function readOutputSettings(settings: Settings): OutputSettings {
  const value = settings.json(VARIABLE);
  if (value === undefined) return noOutputSettings;
  const output = new JsonSettings(settings, VARIABLE, value);
  const lowConfidencePercent = output.number('lowConfidencePercent', 0, 100);
  const read: OutputSettings = {
    labels: output.texts('labels') ?? [],
    probabilities: output.text('probabilities'),
    topK: output.number('topK', 1, 1000) ?? DEFAULT_TOP_K,
    lowConfidence: lowConfidencePercent === undefined ? undefined : lowConfidencePercent / 100,
    value: output.text('value'),
    lower: output.text('lower'),
    upper: output.text('upper'),
  };
  output.end();
  return read;
}
