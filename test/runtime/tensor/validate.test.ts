import { describe, expect, it } from 'vitest';
import {
  allocate,
  countElements,
  type Datatype,
  type ModelSignature,
} from '../../../runtime/tensor/datatype.ts';
import { noParameters, type InferRequest } from '../../../runtime/inference/inference.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { planInference, type InferWork } from '../../../runtime/tensor/validate.ts';

const signature: ModelSignature = {
  inputs: [
    { name: 'ids', datatype: 'INT64', shape: ['batch', 'length'] },
    { name: 'mask', datatype: 'INT64', shape: ['batch', 'length'] },
    { name: 'image', datatype: 'FP32', shape: ['batch', 3, -1] },
    { name: 'rate', datatype: 'FP32', shape: [] },
  ],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: ['batch'] },
    { name: 'scores', datatype: 'FP32', shape: ['batch', 2] },
    { name: 'half', datatype: 'FP16', shape: ['batch'] },
  ],
};

interface Shapes {
  readonly [name: string]: readonly number[];
}

const goodShapes: Shapes = { ids: [2, 5], mask: [2, 5], image: [2, 3, 9], rate: [] };

function requestOf(inputs: readonly Tensor[], outputNames: readonly string[] | undefined): InferRequest {
  const outputs = outputNames?.map((name) => ({ name, parameters: noParameters }));
  return { id: undefined, parameters: noParameters, inputs, outputs };
}

function plan(
  shapes: Shapes,
  outputNames: string[] = ['label'],
  datatypes: Record<string, Datatype> = {},
): InferWork {
  const inputs = Object.entries(shapes).map(([name, shape]) => {
    const datatype = datatypes[name] ?? (['image', 'rate'].includes(name) ? 'FP32' : 'INT64');
    return { name, datatype, shape, data: allocate(datatype, countElements(shape)) };
  });
  return planInference(requestOf(inputs, outputNames), signature);
}

describe('a request held against the model', () => {
  it("puts the inputs into the model's own order, whatever the request's", () => {
    const { rate = [], image = [], mask = [], ids = [] } = goodShapes;
    const { inputs } = plan({ rate, image, mask, ids });
    expect(inputs.map(({ name }) => name)).toEqual(['ids', 'mask', 'image', 'rate']);
  });

  it('asks for the outputs that were named, in that order', () => {
    expect(plan(goodShapes, ['scores', 'label']).outputNames).toEqual(['scores', 'label']);
  });

  it('asks for all outputs when none was named', () => {
    const { inputs } = plan(goodShapes);
    const [label, scores] = signature.outputs;
    if (label === undefined || scores === undefined) throw new Error('the signature has outputs');
    const work = planInference(requestOf(inputs, undefined), {
      inputs: signature.inputs,
      outputs: [label, scores],
    });
    expect(work.outputNames).toEqual(['label', 'scores']);
  });

  it.each<[string, Shapes]>([
    ["tensor 'extra' is no input of the model; expected 'ids', 'mask'", { ...goodShapes, extra: [1] }],
    ["tensor 'image': expected shape [batch,3,-1], got [2,4,9]", { ...goodShapes, image: [2, 4, 9] }],
    ["tensor 'image': expected shape [batch,3,-1], got [2,3]", { ...goodShapes, image: [2, 3] }],
    ["tensor 'image': expected shape [batch,3,-1], got [2,3,9,1]", { ...goodShapes, image: [2, 3, 9, 1] }],
    [
      "tensor 'mask': expected dimension 'length' to be 5 as in tensor 'ids', got 6",
      { ...goodShapes, mask: [2, 6] },
    ],
    ["tensor 'mask' is missing", { ids: [2, 5], image: [2, 3, 9], rate: [] }],
  ])('refuses with: %s', (message, shapes) => {
    expect(() => plan(shapes)).toThrow(message);
  });

  it('refuses another datatype than the model has', () => {
    expect(() => plan(goodShapes, ['label'], { ids: 'INT32' })).toThrow(
      "tensor 'ids': expected datatype INT64, got INT32",
    );
  });

  it('refuses a tensor that comes twice', () => {
    const { inputs } = plan(goodShapes);
    expect(() => planInference(requestOf([...inputs, ...inputs], ['label']), signature)).toThrow(
      "tensor 'ids': expected once, got twice",
    );
  });

  it.each([
    [['nothing'], "output 'nothing' is no output of the model; expected 'label', 'scores', 'half'"],
    [['label', 'label'], "output 'label': expected once, got twice"],
  ])('refuses the outputs %j', (outputNames, message) => {
    expect(() => plan(goodShapes, outputNames)).toThrow(message);
  });
});
