import type { OutputComparison } from './compare.ts';
import type { Skipped } from './recorded.ts';

interface OutputTally {
  compared: number;
  agreeing: number;
  largestDifference: number | undefined;
}

export interface ReplayOutcome {
  readonly recordedMs: number;
  readonly latencyMs: number;
  readonly status: number;
  readonly comparisons: readonly OutputComparison[];
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? '–' : value.toFixed(3);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
}

function row(cells: readonly string[]): string {
  const [first = '', ...others] = cells;
  return first.padEnd(28) + others.map((cell) => cell.padStart(20)).join('');
}

/** What came of a replay. */
export class Tally {
  readonly #skipped = new Map<Skipped, number>();
  readonly #statuses = new Map<number, number>();
  readonly #outputs = new Map<string, OutputTally>();
  readonly #recordedMs: number[] = [];
  readonly #latencyMs: number[] = [];
  #replayed = 0;
  #agreeing = 0;

  skip(why: Skipped): void {
    this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + 1);
  }

  add({ recordedMs, latencyMs, status, comparisons }: ReplayOutcome): void {
    this.#replayed++;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status !== 200) return;
    this.#recordedMs.push(recordedMs);
    this.#latencyMs.push(latencyMs);
    if (comparisons.every(({ agrees }) => agrees)) this.#agreeing++;
    for (const comparison of comparisons) this.#addOutput(comparison);
  }

  /** Of all that was asked: what failed does not agree. Undefined when nothing was. */
  get agreement(): number | undefined {
    return this.#replayed === 0 ? undefined : this.#agreeing / this.#replayed;
  }

  lines(): string[] {
    const skipped = [...this.#skipped].map(([why, count]) => `${count} ${why}`).join(', ');
    const statuses = [...this.#statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
    return [
      `replayed ${this.#replayed} (${statuses}); left out: ${skipped === '' ? 'none' : skipped}`,
      `agreement ${percent(this.#agreeing, this.#replayed)}`,
      '',
      row(['output', 'agreement', 'largest difference']),
      ...[...this.#outputs].map(([name, { compared, agreeing, largestDifference }]) =>
        row([name, percent(agreeing, compared), largestDifference?.toPrecision(3) ?? '–']),
      ),
      '',
      row(['latency in ms', 'recorded', 'now']),
      ...[0.5, 0.95, 0.99].map((share) =>
        row([`p${share * 100}`, quantile(this.#recordedMs, share), quantile(this.#latencyMs, share)]),
      ),
    ];
  }

  #addOutput({ name, agrees, largestDifference }: OutputComparison): void {
    const tally = this.#outputs.get(name) ?? { compared: 0, agreeing: 0, largestDifference: undefined };
    this.#outputs.set(name, tally);
    tally.compared++;
    if (agrees) tally.agreeing++;
    if (largestDifference === undefined) return;
    tally.largestDifference = Math.max(tally.largestDifference ?? 0, largestDifference);
  }
}
