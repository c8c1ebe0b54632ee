import {
  binOf,
  learnCategories,
  learnNumeric,
  type CategoryBaseline,
  type FeatureBaseline,
  type NumericBaseline,
} from './baseline.ts';
import { SlidingCounts } from './sliding-counts.ts';
import { groupForPsi, kolmogorovSmirnov, populationStabilityIndex, totalOf } from './statistics.ts';

/** With fewer values in the window, every statistic says more of chance than of the values. */
const FEWEST_VALUES = 50;

export interface FeatureSettings {
  /** So many values are learned where no baseline is given. */
  readonly learnValues: number;
  readonly windowMs: number;
}

export interface FeatureReport {
  /** Undefined while it is being learned, and where there are too many kinds of values to compare. */
  readonly baseline: FeatureBaseline | undefined;
  /** In the order of the baseline's bins; of categories, the unseen ones last. */
  readonly window: readonly number[];
  readonly values: number;
  readonly nulls: number;
  readonly outOfRange: number;
  readonly unseen: number;
  readonly statistic: number | undefined;
  readonly pValue: number | undefined;
  readonly stabilityIndex: number | undefined;
}

interface Compared {
  readonly baseline: FeatureBaseline;
  readonly expected: readonly number[];
  readonly counts: SlidingCounts;
}

/** One number or text of every row: its baseline, what the last window held, and how unlike the two are. */
export class Feature {
  readonly #settings: FeatureSettings;
  readonly #isText: boolean;
  readonly #isWhole: boolean;
  #learned: (number | string)[] | undefined = [];
  #compared: Compared | undefined;
  #edges: Float64Array = new Float64Array();
  #places = new Map<string, number>();
  #min = -Infinity;
  #max = Infinity;
  #values = 0;
  #nulls = 0;
  #outOfRange = 0;
  #unseen = 0;

  constructor(kind: 'Text' | 'Whole' | 'Real', settings: FeatureSettings, baseline?: FeatureBaseline) {
    this.#settings = settings;
    this.#isText = kind === 'Text';
    this.#isWhole = kind === 'Whole';
    if (baseline !== undefined) this.#compareWith(baseline);
  }

  observe(value: number | string, nowMs: number): void {
    this.#values++;
    if (typeof value === 'string' ? value === '' : !Number.isFinite(value)) {
      this.#nulls++;
      return;
    }
    if (this.#compared !== undefined) this.#count(this.#compared, value, nowMs);
    else if (this.#learned !== undefined) this.#learn(this.#learned, value);
  }

  report(nowMs: number): FeatureReport {
    const counted = {
      values: this.#values,
      nulls: this.#nulls,
      outOfRange: this.#outOfRange,
      unseen: this.#unseen,
    };
    const nothing = { statistic: undefined, pValue: undefined, stabilityIndex: undefined };
    if (this.#compared === undefined) return { baseline: undefined, window: [], ...counted, ...nothing };
    const { baseline, expected, counts } = this.#compared;
    const window = counts.sum(nowMs);
    if (totalOf(window) < FEWEST_VALUES) return { baseline, window, ...counted, ...nothing };
    const isNumeric = baseline.kind === 'Numeric';
    const test = isNumeric ? kolmogorovSmirnov(expected, window) : undefined;
    const groups = isNumeric ? groupForPsi(expected, window) : { expected, actual: window };
    const stabilityIndex = populationStabilityIndex(groups.expected, groups.actual);
    return { baseline, window, ...counted, statistic: test?.statistic, pValue: test?.pValue, stabilityIndex };
  }

  #count({ baseline, counts }: Compared, value: number | string, nowMs: number): void {
    if (baseline.kind === 'Numeric') {
      const number = value as number;
      if (number < this.#min || number > this.#max) this.#outOfRange++;
      counts.add(binOf(this.#edges, number), nowMs);
      return;
    }
    const place = this.#places.get(String(value));
    if (place === undefined) this.#unseen++;
    counts.add(place ?? this.#places.size, nowMs);
  }

  #learn(learned: (number | string)[], value: number | string): void {
    if (learned.push(value) < this.#settings.learnValues) return;
    this.#learned = undefined;
    const baseline = this.#baselineOf(learned);
    if (baseline !== undefined) this.#compareWith(baseline);
  }

  #baselineOf(learned: readonly (number | string)[]): FeatureBaseline | undefined {
    const categories = this.#isText || this.#isWhole ? learnCategories(learned.map(String)) : undefined;
    if (categories !== undefined || this.#isText) return categories;
    return learnNumeric(learned as readonly number[]);
  }

  #compareWith(baseline: FeatureBaseline): void {
    const expected = baseline.kind === 'Numeric' ? this.#useNumbers(baseline) : this.#useCategories(baseline);
    const counts = new SlidingCounts(expected.length, this.#settings.windowMs);
    this.#learned = undefined;
    this.#compared = { baseline, expected, counts };
  }

  #useNumbers({ edges, counts, min, max }: NumericBaseline): readonly number[] {
    this.#edges = Float64Array.from(edges);
    this.#min = min;
    this.#max = max;
    return counts;
  }

  /** What was never seen comes after all others. */
  #useCategories({ counts }: CategoryBaseline): readonly number[] {
    this.#places = new Map(Object.keys(counts).map((category, place) => [category, place]));
    return [...Object.values(counts), 0];
  }
}
