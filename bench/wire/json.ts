import { HttpClient } from '../load/http-client.ts';
import type { Client } from '../load/client.ts';
import type { BenchTensor, Outputs, Question, Wire } from './wire.ts';

type Nested = number | readonly Nested[];

function flatten(value: Nested): number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flatten);
}

/** As few digits as name the same float32: what a client that has float32 sends. */
function shortest(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function flatNumbers({ data }: BenchTensor): number[] {
  return data instanceof Float32Array ? Array.from(data, shortest) : Array.from(data, Number);
}

function nest(numbers: readonly number[], shape: readonly number[]): readonly Nested[] {
  if (shape.length <= 1) return numbers;
  const [rows = 0, ...inner] = shape;
  const width = numbers.length / rows;
  return Array.from({ length: rows }, (_, row) => nest(numbers.slice(row * width, (row + 1) * width), inner));
}

function parse(client: Client): unknown {
  return JSON.parse(client.body.toString());
}

/** POST /v2/models/NAME/infer of the Open Inference Protocol, data flat. */
export function v2Json({ modelName, inputs, timeoutUs }: Question): Wire {
  const request = {
    inputs: inputs.map((input) => ({
      name: input.name,
      shape: input.shape,
      datatype: input.datatype,
      data: flatNumbers(input),
    })),
    ...(timeoutUs === undefined ? {} : { parameters: { timeout: timeoutUs } }),
  };
  const body = Buffer.from(JSON.stringify(request));
  return {
    connect: (port) => new HttpClient(port, `/v2/models/${modelName}/infer`, body),
    decode: (client): Outputs => {
      const { outputs } = parse(client) as { outputs: readonly { name: string; data: Nested }[] };
      return new Map(outputs.map(({ name, data }) => [name, flatten(data)]));
    },
  };
}

/** What servers without a protocol of their own are asked: tensors by name, nested; so are their answers. */
export function plainJson({ inputs }: Question): Wire {
  const tensors = Object.fromEntries(
    inputs.map((input) => [input.name, nest(flatNumbers(input), input.shape)]),
  );
  const body = Buffer.from(JSON.stringify({ inputs: tensors }));
  return {
    connect: (port) => new HttpClient(port, '/predict', body),
    decode: (client): Outputs => {
      const { outputs } = parse(client) as { outputs: Readonly<Record<string, Nested>> };
      return new Map(Object.entries(outputs).map(([name, data]) => [name, flatten(data)]));
    },
  };
}
