import { bucketKey, countRows } from '../batching/bucket.ts';
import { joinOutputs, mergeWorks, sliceRows, splitOutputs } from '../batching/merge.ts';
import type { ModelSignature, Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import type { RunnableModel } from './batch-profile.ts';

const STEP = 4;

/** 1, 4, 16 and so on, and the largest itself: no batch is filled up to more than four times its rows. */
export function sizesUpTo(maxRows: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < maxRows; size *= STEP) sizes.push(size);
  return [...sizes, maxRows];
}

interface Sized {
  readonly size: number;
  readonly model: RunnableModel;
  /** The sizes of the tensors that it ran last. */
  preparedFor: string;
}

/** As one of the models runs it. */
interface Piece {
  readonly sized: Sized;
  readonly work: InferWork;
  /** That were asked for, the first ones of the work. */
  readonly rows: number;
  readonly key: string;
}

function takeRows(work: InferWork, from: number, rows: number): InferWork {
  return { ...work, inputs: work.inputs.map((tensor) => sliceRows(tensor, from, rows)) };
}

/** `size`: at least as many as there are rows. What is added repeats the last row, a value that the model knows. */
function fillUp(work: InferWork, rows: number, size: number): InferWork {
  if (rows === size) return work;
  const last = takeRows(work, rows - 1, 1);
  return mergeWorks([work, ...Array.from({ length: size - rows }, () => last)]);
}

async function runPiece({ sized, work, rows, key }: Piece): Promise<Tensor[]> {
  const outputs = await sized.model.run(work);
  sized.preparedFor = key;
  return rows === sized.size ? outputs : (splitOutputs(outputs, [rows, sized.size - rows])[0] ?? []);
}

/**
 * One model in several sessions, each for batches of one size, where a session pays for each change of size: smaller
 * batches are filled up, and what was added is cut off again; larger ones go in pieces. Pre: the rows of the model do
 * not see each other.
 */
export class SizedModel implements RunnableModel {
  readonly signature: ModelSignature;
  readonly #bySize: readonly Sized[];
  readonly #largest: Sized;
  #isPrepared = false;

  /** By size, ascending, at least one. */
  constructor(models: ReadonlyMap<number, RunnableModel>) {
    this.#bySize = [...models].map(([size, model]) => ({ size, model, preparedFor: '' }));
    const largest = this.#bySize.at(-1);
    if (largest === undefined) throw new Error('a model in no session');
    this.#largest = largest;
    this.signature = largest.model.signature;
  }

  /**
   * Pays for a change of the tensors' sizes, so that the next run costs what a run of its kind costs. For the first work
   * all sessions do: what comes first, before anyone else where it is golden data, is most likely what comes.
   */
  async prepareFor(work: InferWork): Promise<void> {
    const pieces = this.#isPrepared ? this.#split(work) : this.#inEachSize(work);
    this.#isPrepared = true;
    for (const piece of pieces) {
      if (piece.sized.preparedFor !== piece.key) await runPiece(piece);
    }
  }

  async run(work: InferWork): Promise<Tensor[]> {
    const pieces = this.#split(work);
    // Its inputs have no common rows: the model knows what it makes of them.
    if (pieces.length === 0) return this.#largest.model.run(work);
    const answers: Tensor[][] = [];
    for (const piece of pieces) answers.push(await runPiece(piece));
    return joinOutputs(answers);
  }

  #split(work: InferWork): Piece[] {
    const rows = countRows(work) ?? 0;
    const pieces: Piece[] = [];
    for (let from = 0; from < rows; from += this.#largest.size) {
      const count = Math.min(this.#largest.size, rows - from);
      pieces.push(this.#fit(count === rows ? work : takeRows(work, from, count), count));
    }
    return pieces;
  }

  #inEachSize(work: InferWork): Piece[] {
    if (countRows(work) === undefined) return [];
    const row = takeRows(work, 0, 1);
    const key = bucketKey(row);
    return this.#bySize.map((sized) => ({ sized, work: fillUp(row, 1, sized.size), rows: 1, key }));
  }

  #fit(work: InferWork, rows: number): Piece {
    const sized = this.#bySize.find(({ size }) => size >= rows) ?? this.#largest;
    return { sized, work: fillUp(work, rows, sized.size), rows, key: bucketKey(work) };
  }
}
