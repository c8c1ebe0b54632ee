import type { ModelSignature } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

/** Why requests of a model cannot share a run, for the log; undefined when they can. */
export function explainNoBatchAxis({ inputs, outputs }: ModelSignature): string | undefined {
  const [first] = inputs;
  if (first === undefined) return 'it has no inputs';
  const axis = first.shape[0];
  for (const { name, shape } of inputs) {
    if (isFixed(shape[0])) return `the first dimension of input '${name}' is fixed`;
    if (shape[0] !== axis)
      return `the first dimensions of inputs '${first.name}' and '${name}' are not the same`;
    if (typeof axis === 'string' && shape.indexOf(axis, 1) > 0)
      return `dimension '${axis}' is no batch axis alone`;
  }
  const fixed = outputs.find(({ shape }) => isFixed(shape[0]));
  return fixed === undefined ? undefined : `the first dimension of output '${fixed.name}' is fixed`;
}

function isFixed(dimension: number | string | undefined): boolean {
  return dimension === undefined || (typeof dimension === 'number' && dimension >= 0);
}

/** Rows of a request along the batch axis; undefined when its inputs do not agree, or have none, so it goes alone. */
export function countRows({ inputs: [first, ...others] }: InferWork): number | undefined {
  const rows = first?.shape[0];
  if (rows === undefined || rows < 1) return undefined;
  return others.every(({ shape }) => shape[0] === rows) ? rows : undefined;
}

/**
 * Requests with the same key can share a run: equal sizes but along the batch axis, and the same outputs. Datatypes are
 * those of the model's signature for all of them.
 */
export function bucketKey({ inputs, outputNames }: InferWork): string {
  let key = outputNames.join('\0');
  for (const { shape } of inputs) {
    key += '|';
    for (let axis = 1; axis < shape.length; axis++) key += `${shape[axis] ?? ''},`;
  }
  return key;
}
