import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Labels, Sample, ScrapedMetric } from '../metrics/scraped.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { BaselineFile, TensorBaselines } from './baseline-file.ts';
import type { FeatureSettings } from './feature.ts';
import { TensorFeatures, type NamedFeatureReport } from './tensor-features.ts';

/** A thousand requests a second are enough for any statistic, and cost the same however many there are. */
const LEAST_DISTANCE_MS = 1;
const MOST_TENSORS = 16;

const noBaselines: BaselineFile = { inputs: new Map(), outputs: new Map() };

type Side = 'input' | 'output';

interface FeatureMetric {
  readonly suffix: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly valueOf: (report: NamedFeatureReport) => number | undefined;
}

const featureMetrics: readonly FeatureMetric[] = [
  {
    suffix: 'drift_ks',
    help: 'Kolmogorov-Smirnov distance between the window and the baseline, 0 to 1',
    type: 'gauge',
    valueOf: ({ statistic }) => statistic,
  },
  {
    suffix: 'drift_ks_p_value',
    help: 'How likely such a distance is by chance alone',
    type: 'gauge',
    valueOf: ({ pValue }) => pValue,
  },
  {
    suffix: 'drift_psi',
    help: 'Population stability index of the window against the baseline',
    type: 'gauge',
    valueOf: ({ stabilityIndex }) => stabilityIndex,
  },
  {
    suffix: 'values_total',
    help: 'Values that were looked at',
    type: 'counter',
    valueOf: ({ values }) => values,
  },
  {
    suffix: 'nulls_total',
    help: 'Values that were NaN, infinite or an empty text',
    type: 'counter',
    valueOf: ({ nulls }) => nulls,
  },
  {
    suffix: 'out_of_range_total',
    help: 'Values below the least or above the largest of the baseline',
    type: 'counter',
    valueOf: ({ outOfRange }) => outOfRange,
  },
  {
    suffix: 'unseen_categories_total',
    help: 'Values of a kind that the baseline does not have',
    type: 'counter',
    valueOf: ({ unseen }) => unseen,
  },
];

/** Compares what models are asked and answer with a baseline, feature by feature. Previews are testers' and left out. */
export class Drift implements JourneyObserver {
  readonly #settings: FeatureSettings;
  readonly #labels: Labels;
  readonly #sides: Readonly<Record<Side, Map<string, TensorFeatures>>> = {
    input: new Map(),
    output: new Map(),
  };
  #baselines: BaselineFile = noBaselines;
  #lastMs = -Infinity;

  constructor(settings: FeatureSettings, labels: Labels) {
    this.#settings = settings;
    this.#labels = labels;
  }

  /** Pre: before the first request. Tensors that the file does not name learn their baseline. */
  useBaselines(baselines: BaselineFile): void {
    this.#baselines = baselines;
  }

  onEnd({ origin }: Journey, outcome: Outcome, endedAtMs: number): void {
    if (outcome.kind !== 'Answered' || origin === 'Preview') return;
    if (endedAtMs - this.#lastMs < LEAST_DISTANCE_MS) return;
    this.#lastMs = endedAtMs;
    const { inputs, outputs } = this.#baselines;
    for (const tensor of outcome.request.inputs) this.#observe('input', tensor, inputs, endedAtMs);
    for (const tensor of outcome.answer.outputs) this.#observe('output', tensor, outputs, endedAtMs);
  }

  report(nowMs: number): Readonly<Record<Side, readonly NamedFeatureReport[]>> {
    const of = (side: Side): NamedFeatureReport[] =>
      [...this.#sides[side].values()].flatMap((one) => one.report(nowMs));
    return { input: of('input'), output: of('output') };
  }

  scraped(): ScrapedMetric[] {
    const sides: readonly Side[] = ['input', 'output'];
    return sides.flatMap((side) =>
      featureMetrics.map(({ suffix, help, type, valueOf }) => ({
        name: `headgate_${side}_${suffix}`,
        help: `${help}, of each feature of the model's ${side}s.`,
        type,
        read: () => this.#samples(side, valueOf, performance.now()),
      })),
    );
  }

  #samples(side: Side, valueOf: FeatureMetric['valueOf'], nowMs: number): Sample[] {
    return this.report(nowMs)[side].flatMap((report) => {
      const value = valueOf(report);
      const { tensor, feature } = report;
      return value === undefined ? [] : [{ labels: { ...this.#labels, tensor, feature }, value }];
    });
  }

  #observe(side: Side, tensor: Tensor, baselines: TensorBaselines, nowMs: number): void {
    if (!TensorFeatures.isWatched(tensor)) return;
    const tensors = this.#sides[side];
    let features = tensors.get(tensor.name);
    if (features === undefined) {
      if (tensors.size >= MOST_TENSORS) return;
      features = new TensorFeatures(tensor, this.#settings, baselines.get(tensor.name));
      tensors.set(tensor.name, features);
    }
    features.observe(tensor, nowMs);
  }
}
