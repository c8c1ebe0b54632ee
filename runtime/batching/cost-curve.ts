/** What a run of so many rows takes. */
export interface CostPoint {
  readonly rows: number;
  readonly ms: number;
}

const SMOOTHING = 0.15;
/** A step of the clock: a multiple of less says nothing. */
const SHORTEST_MS = 1e-6;
/** One run that the machine held up says little of the next. */
const LARGEST_SURPRISE = 4;

/** Sizes up to a power of two share a point: it lies at the mean of what was measured there. */
function slotOf(rows: number): number {
  return Math.ceil(Math.log2(rows));
}

/**
 * How long a run takes by the rows of its batch, as measured: first at warm-up, then by every real batch. Between two
 * points it is a line; beyond the last it goes on as between the last two; from a single point it goes through zero,
 * so that nothing is promised that was not seen.
 */
export class CostCurve {
  readonly #slots: (CostPoint | undefined)[] = [];
  /** The known ones in ascending order of rows. */
  #points: readonly CostPoint[] = [];
  #largestOwnRows = 0;
  readonly #isBorrowed: boolean;

  constructor(points: readonly CostPoint[], isBorrowed = false) {
    for (const point of points) this.#slots[slotOf(point.rows)] = point;
    this.#isBorrowed = isBorrowed;
    if (!isBorrowed) this.#largestOwnRows = Math.max(0, ...points.map(({ rows }) => rows));
    this.#index();
  }

  /** A curve of the same form for tensors of other sizes; its first own measurement says how high it lies. */
  borrow(): CostCurve {
    return new CostCurve(this.#points, true);
  }

  /** Beyond this nothing was measured for tensors of these sizes. */
  get largestMeasuredRows(): number {
    return this.#largestOwnRows;
  }

  get isEmpty(): boolean {
    return this.#points.length === 0;
  }

  record(rows: number, ms: number): void {
    if (this.#isBorrowed && this.#largestOwnRows === 0) this.#scaleTo(rows, ms);
    const slot = slotOf(rows);
    const known = this.#slots[slot];
    this.#largestOwnRows = Math.max(this.#largestOwnRows, rows);
    if (known === undefined) {
      this.#slots[slot] = { rows, ms };
    } else {
      const bounded = Math.min(ms, known.ms * LARGEST_SURPRISE);
      this.#slots[slot] = {
        rows: known.rows + SMOOTHING * (rows - known.rows),
        ms: known.ms + SMOOTHING * (bounded - known.ms),
      };
    }
    this.#index();
  }

  /** 0 as long as nothing was measured at all. */
  predictMs(rows: number): number {
    const points = this.#points;
    const [first] = points;
    if (first === undefined) return 0;
    if (points.length === 1) return (first.ms * rows) / first.rows;
    if (rows <= first.rows) return first.ms;
    const above = Math.max(
      1,
      points.findIndex((point) => point.rows >= rows),
    );
    const isBeyond = (points.at(-1) ?? first).rows < rows;
    const right = points[isBeyond ? points.length - 1 : above] ?? first;
    const left = points[isBeyond ? points.length - 2 : above - 1] ?? first;
    const slope = (right.ms - left.ms) / Math.max(0.5, right.rows - left.rows);
    return Math.max(left.ms + (isBeyond ? Math.max(0, slope) : slope) * (rows - left.rows), 0);
  }

  #scaleTo(rows: number, ms: number): void {
    const predictedMs = this.predictMs(rows);
    if (predictedMs < SHORTEST_MS) return;
    const factor = ms / predictedMs;
    for (const [slot, point] of this.#slots.entries()) {
      if (point !== undefined) this.#slots[slot] = { rows: point.rows, ms: point.ms * factor };
    }
    this.#index();
  }

  #index(): void {
    this.#points = this.#slots
      .filter((point) => point !== undefined)
      .sort((left, right) => left.rows - right.rows);
  }
}
