import { RequestError } from '../errors.ts';
import type { ModelSignature, Tensor, TensorSpecification } from './datatype.ts';
import type { InferRequest, RequestedOutput } from '../inference/inference.ts';

/** What the executor is asked to compute. */
export interface InferWork {
  /** In the order of the model's own inputs. */
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
}

function fail(message: string): never {
  throw new RequestError('InvalidTensor', message);
}

function names(specifications: readonly TensorSpecification[]): string {
  return specifications.map(({ name }) => `'${name}'`).join(', ');
}

/** Sizes by symbol: one symbol means one size in the whole request. */
type SymbolSizes = Map<string, { readonly size: number; readonly inputName: string }>;

function checkShape(tensor: Tensor, specification: TensorSpecification, symbolSizes: SymbolSizes): void {
  // No dimensions in the signature is a scalar or a model that says nothing of its shape: ONNX Runtime then decides.
  const { length } = specification.shape;
  if (length === 0) return;
  if (tensor.shape.length !== length) failShape(tensor, specification);
  for (let axis = 0; axis < length; axis++) {
    const dimension = specification.shape[axis] ?? -1;
    const size = tensor.shape[axis] ?? 0;
    if (typeof dimension === 'string') checkSymbol(tensor.name, { symbol: dimension, size }, symbolSizes);
    else if (dimension !== -1 && dimension !== size) failShape(tensor, specification);
  }
}

function failShape({ name, shape }: Tensor, specification: TensorSpecification): never {
  fail(`tensor '${name}': expected shape [${specification.shape.join(',')}], got [${shape.join(',')}]`);
}

function checkSymbol(
  inputName: string,
  dimension: { symbol: string; size: number },
  symbolSizes: SymbolSizes,
): void {
  const { symbol, size } = dimension;
  const known = symbolSizes.get(symbol);
  if (known === undefined) {
    symbolSizes.set(symbol, { size, inputName });
    return;
  }
  if (known.size === size) return;
  fail(
    `tensor '${inputName}': expected dimension '${symbol}' to be ${known.size} as in tensor '${known.inputName}', got ${size}`,
  );
}

/** Pre: not each of the model's inputs is there once and nothing else. */
function explainInputs(inputs: readonly Tensor[], signature: ModelSignature): never {
  const seen = new Set<string>();
  for (const { name } of inputs) {
    if (!signature.inputs.some((input) => input.name === name)) {
      fail(`tensor '${name}' is no input of the model; expected ${names(signature.inputs)}`);
    }
    if (seen.has(name)) fail(`tensor '${name}': expected once, got twice`);
    seen.add(name);
  }
  const missing = signature.inputs.find(({ name }) => !seen.has(name));
  fail(`tensor '${missing?.name ?? ''}' is missing; expected ${names(signature.inputs)}`);
}

/** The model's inputs in its own order. */
function selectInputs(inputs: readonly Tensor[], signature: ModelSignature): Tensor[] {
  // As many as the model has, and each of those is there: then none is there twice and none is another.
  if (inputs.length !== signature.inputs.length) explainInputs(inputs, signature);
  return signature.inputs.map(
    (input) => inputs.find(({ name }) => name === input.name) ?? explainInputs(inputs, signature),
  );
}

function selectOutputs(
  requested: readonly RequestedOutput[] | undefined,
  signature: ModelSignature,
): string[] {
  if (requested === undefined) return signature.outputs.map(({ name }) => name);
  const selected = requested.map(({ name }) => name);
  for (const [index, name] of selected.entries()) {
    const specification = signature.outputs.find((output) => output.name === name);
    if (specification === undefined) {
      fail(`output '${name}' is no output of the model; expected ${names(signature.outputs)}`);
    }
    if (selected.indexOf(name) !== index) fail(`output '${name}': expected once, got twice`);
  }
  return selected;
}

/** Holds a request against the model's signature; whatever passes can only fail inside the model. */
export function planInference(request: InferRequest, signature: ModelSignature): InferWork {
  const inputs = selectInputs(request.inputs, signature);
  const symbolSizes: SymbolSizes = new Map();
  for (const [index, specification] of signature.inputs.entries()) {
    const tensor = inputs[index];
    if (tensor === undefined) continue;
    if (tensor.datatype !== specification.datatype) {
      fail(`tensor '${tensor.name}': expected datatype ${specification.datatype}, got ${tensor.datatype}`);
    }
    checkShape(tensor, specification, symbolSizes);
  }
  return { inputs, outputNames: selectOutputs(request.outputs, signature) };
}
