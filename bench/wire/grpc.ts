import { GrpcClient } from '../load/grpc-client.ts';
import { bytesField, packedField, readFields, unpackVarints, varintField } from './protobuf.ts';
import { bytesOf, numbersOf, type BenchTensor, type Outputs, type Question, type Wire } from './wire.ts';

const METHOD = '/inference.GRPCInferenceService/ModelInfer';

// The numbers of the fields are those of open_inference_grpc.proto.
const tensorFields = { name: 1, datatype: 2, shape: 3, contents: 5 } as const;
const requestFields = { modelName: 1, parameters: 4, inputs: 5, rawInputs: 7 } as const;
const responseFields = { outputs: 5, rawOutputs: 6 } as const;
const contentFields = { int64: 3, fp32: 6 } as const;

function timeoutParameter(timeoutUs: number): Buffer {
  const int64Value = varintField(2, timeoutUs);
  return bytesField(
    requestFields.parameters,
    Buffer.concat([bytesField(1, 'timeout'), bytesField(2, int64Value)]),
  );
}

function inputMessage({ name, datatype, shape }: BenchTensor): Buffer {
  return Buffer.concat([
    bytesField(tensorFields.name, name),
    bytesField(tensorFields.datatype, datatype),
    packedField(tensorFields.shape, shape),
  ]);
}

function readOutput(message: Buffer, raw: Buffer | undefined): [string, readonly number[]] {
  const fields = readFields(message);
  const text = (field: number): string => String(fields.get(field)?.[0]);
  const name = text(tensorFields.name);
  if (raw !== undefined) return [name, numbersOf(text(tensorFields.datatype), raw)];
  const contents = readFields(fields.get(tensorFields.contents)?.[0] ?? Buffer.alloc(0));
  const fp32 = contents.get(contentFields.fp32)?.[0];
  if (fp32 !== undefined) return [name, numbersOf('FP32', fp32)];
  return [name, unpackVarints(contents.get(contentFields.int64)?.[0] ?? Buffer.alloc(0))];
}

/** ModelInfer of the Open Inference Protocol, the tensors raw, as its clients send them. */
export function v2Grpc({ modelName, inputs, timeoutUs }: Question): Wire {
  const message = Buffer.concat([
    bytesField(requestFields.modelName, modelName),
    ...(timeoutUs === undefined ? [] : [timeoutParameter(timeoutUs)]),
    ...inputs.map((input) => bytesField(requestFields.inputs, inputMessage(input))),
    ...inputs.map((input) => bytesField(requestFields.rawInputs, bytesOf(input))),
  ]);
  return {
    connect: (port) => new GrpcClient(port, METHOD, message),
    decode: (client): Outputs => {
      const fields = readFields(client.body);
      const raw = fields.get(responseFields.rawOutputs) ?? [];
      const outputs = fields.get(responseFields.outputs) ?? [];
      return new Map(outputs.map((output, index) => readOutput(output, raw[index])));
    },
  };
}
