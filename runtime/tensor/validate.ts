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
  if (specification.shape.length === 0) return;
  const expected = `[${specification.shape.join(',')}]`;
  const got = `[${tensor.shape.join(',')}]`;
  const fits = tensor.shape.length === specification.shape.length;
  specification.shape.forEach((dimension, index) => {
    const size = tensor.shape[index];
    if (
      !fits ||
      size === undefined ||
      (typeof dimension === 'number' && dimension !== -1 && dimension !== size)
    ) {
      fail(`tensor '${tensor.name}': expected shape ${expected}, got ${got}`);
    }
    if (typeof dimension === 'string') checkSymbol(tensor.name, { symbol: dimension, size }, symbolSizes);
  });
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

function indexInputs(inputs: readonly Tensor[], signature: ModelSignature): Map<string, Tensor> {
  const byName = new Map<string, Tensor>();
  for (const tensor of inputs) {
    if (!signature.inputs.some(({ name }) => name === tensor.name)) {
      fail(`tensor '${tensor.name}' is no input of the model; expected ${names(signature.inputs)}`);
    }
    if (byName.has(tensor.name)) fail(`tensor '${tensor.name}': expected once, got twice`);
    byName.set(tensor.name, tensor);
  }
  return byName;
}

function selectOutputs(
  requested: readonly RequestedOutput[] | undefined,
  signature: ModelSignature,
): string[] {
  const selected = (requested ?? signature.outputs).map(({ name }) => name);
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
  const byName = indexInputs(request.inputs, signature);
  const symbolSizes: SymbolSizes = new Map();
  const inputs = signature.inputs.map((specification) => {
    const tensor = byName.get(specification.name);
    if (tensor === undefined) {
      fail(`tensor '${specification.name}' is missing; expected ${names(signature.inputs)}`);
    }
    if (tensor.datatype !== specification.datatype) {
      fail(`tensor '${tensor.name}': expected datatype ${specification.datatype}, got ${tensor.datatype}`);
    }
    checkShape(tensor, specification, symbolSizes);
    return tensor;
  });
  return { inputs, outputNames: selectOutputs(request.outputs, signature) };
}
