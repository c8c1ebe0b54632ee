import type { Datatype, Tensor } from '../tensor/datatype.ts';
import type { FeatureBaseline } from './baseline.ts';
import { Feature, type FeatureReport, type FeatureSettings } from './feature.ts';

const MOST_FEATURES = 64;
/** Of a request with more rows, rows at equal distances. */
const MOST_ROWS = 32;

export interface NamedFeatureReport extends FeatureReport {
  readonly tensor: string;
  /** Its place in the last dimension; `all` for tensors of three and more dimensions. */
  readonly feature: string;
}

function kindOf(datatype: Datatype): 'Text' | 'Whole' | 'Real' {
  if (datatype === 'BYTES') return 'Text';
  return datatype === 'FP32' || datatype === 'FP64' ? 'Real' : 'Whole';
}

/**
 * The features of one tensor: its columns, the first 64 of them. Images and sequences have no columns that mean
 * something by themselves: all their values together are one feature, of which some are looked at.
 */
export class TensorFeatures {
  readonly #name: string;
  readonly #isOfColumns: boolean;
  readonly #width: number;
  readonly #features: readonly Feature[];

  constructor(
    { name, datatype, shape }: Tensor,
    settings: FeatureSettings,
    baselines: readonly (FeatureBaseline | null)[] = [],
  ) {
    this.#name = name;
    this.#isOfColumns = shape.length <= 2;
    // [N] is one value a row, as a label is.
    this.#width = shape.length === 2 ? (shape[1] ?? 1) : 1;
    const count = this.#isOfColumns ? Math.min(this.#width, MOST_FEATURES) : 1;
    this.#features = Array.from(
      { length: count },
      (_, index) => new Feature(kindOf(datatype), settings, baselines[index] ?? undefined),
    );
  }

  /** Half floats would have to be decoded: they are left out. */
  static isWatched({ datatype, data }: Tensor): boolean {
    return datatype !== 'FP16' && data.length > 0;
  }

  observe({ data, shape }: Tensor, nowMs: number): void {
    if (!this.#isOfColumns) {
      this.#observeSome(data, nowMs);
      return;
    }
    // A model may be asked with another width the next time.
    if ((shape.length === 2 ? (shape[1] ?? 1) : 1) !== this.#width) return;
    const rows = data.length / this.#width;
    const stride = Math.ceil(rows / MOST_ROWS);
    for (let row = 0; row < rows; row += stride) {
      const start = row * this.#width;
      for (let column = 0; column < this.#features.length; column++) {
        (this.#features[column] as Feature).observe(readValue(data, start + column), nowMs);
      }
    }
  }

  report(nowMs: number): NamedFeatureReport[] {
    return this.#features.map((feature, index) => ({
      tensor: this.#name,
      feature: this.#isOfColumns ? String(index) : 'all',
      ...feature.report(nowMs),
    }));
  }

  #observeSome(data: Tensor['data'], nowMs: number): void {
    const stride = Math.ceil(data.length / MOST_FEATURES);
    const [feature] = this.#features;
    for (let index = 0; index < data.length; index += stride) feature?.observe(readValue(data, index), nowMs);
  }
}

function readValue(data: Tensor['data'], index: number): number | string {
  const value = data[index] as number | bigint | string;
  return typeof value === 'bigint' ? Number(value) : value;
}
