/** What values looked like when all was well: bins with counts, so that baselines of equal bins add up. */
export interface NumericBaseline {
  readonly kind: 'Numeric';
  /** Rising. Bin i holds values above edge i−1 up to and including edge i; the last one what is above all edges. */
  readonly edges: readonly number[];
  /** One more than edges. */
  readonly counts: readonly number[];
  readonly min: number;
  readonly max: number;
}

export interface CategoryBaseline {
  readonly kind: 'Category';
  readonly counts: Readonly<Record<string, number>>;
}

export type FeatureBaseline = NumericBaseline | CategoryBaseline;

const MOST_BINS = 64;
export const MOST_CATEGORIES = 64;

/** The place of a value among the edges: the first edge that is not below it. */
export function binOf(edges: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Pre: finite values, at least one. Edges at every 64th part of the values; of equal ones only one stays. */
export function learnNumeric(values: readonly number[]): NumericBaseline {
  const sorted = Float64Array.from(values).sort();
  const at = (index: number): number => sorted[index] as number;
  const last = sorted.length - 1;
  const places = Array.from({ length: MOST_BINS }, (_, bin) => Math.round((bin * last) / (MOST_BINS - 1)));
  const edges = [...new Set(places.map(at))];
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of sorted) (counts[binOf(edges, value)] as number)++;
  return { kind: 'Numeric', edges, counts, min: at(0), max: at(last) };
}

/** Undefined for more kinds of values than are worth a count each. */
export function learnCategories(values: readonly string[]): CategoryBaseline | undefined {
  const counts = new Map<string, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > MOST_CATEGORIES) return undefined;
  }
  return { kind: 'Category', counts: Object.fromEntries(counts) };
}

/** Throws a RangeError for baselines over different bins. */
export function mergeBaselines(left: NumericBaseline, right: NumericBaseline): NumericBaseline {
  const isAlike =
    left.edges.length === right.edges.length && left.edges.every((edge, i) => edge === right.edges[i]);
  if (!isAlike) throw new RangeError('only baselines with the same edges add up');
  return {
    kind: 'Numeric',
    edges: left.edges,
    counts: left.counts.map((count, index) => count + (right.counts[index] ?? 0)),
    min: Math.min(left.min, right.min),
    max: Math.max(left.max, right.max),
  };
}
