import type { Labels, Sample } from './scraped.ts';

/** One counter with its labels bound. */
export class CounterSeries {
  #total = 0;

  add(amount = 1): void {
    this.#total += amount;
  }

  get total(): number {
    return this.#total;
  }
}

/** Counters of one metric that differ in one label whose values are not known before they occur. */
export class CounterFamily<Value extends string | number> {
  readonly #label: string;
  readonly #labels: Labels;
  readonly #series = new Map<Value, CounterSeries>();

  constructor(label: string, labels: Labels, known: readonly Value[] = []) {
    this.#label = label;
    this.#labels = labels;
    for (const value of known) this.of(value);
  }

  of(value: Value): CounterSeries {
    let series = this.#series.get(value);
    if (series === undefined) {
      series = new CounterSeries();
      this.#series.set(value, series);
    }
    return series;
  }

  readonly read = (): Sample[] =>
    [...this.#series].map(([value, { total }]) => ({
      labels: { ...this.#labels, [this.#label]: value },
      value: total,
    }));
}

/** One histogram with its labels bound. A value that is no number is left out: it would spoil the sum for good. */
export class HistogramSeries {
  readonly #upperEdges: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  /** The edges rise; a last bucket without an upper edge is added. */
  constructor(upperEdges: readonly number[]) {
    this.#upperEdges = Float64Array.from(upperEdges);
    this.#counts = new Float64Array(upperEdges.length + 1);
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    const edges = this.#upperEdges;
    let bucket = 0;
    while (bucket < edges.length && value > (edges[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += value;
  }

  /** As Prometheus wants them: each bucket with all below it. */
  samples(name: string, labels: Labels): Sample[] {
    let passed = 0;
    const buckets = Array.from(this.#counts, (count, index): Sample => {
      passed += count;
      const le = this.#upperEdges[index] ?? '+Inf';
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: passed };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: passed },
    ];
  }
}
