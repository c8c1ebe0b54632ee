import type { Datatype, ModelSignature, TensorSpecification } from '../tensor/datatype.ts';

/** A JSON schema, as OpenAPI 3.1 has them. */
type Schema = Readonly<Record<string, unknown>>;

export interface Served {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly revision: string;
  readonly serverVersion: string;
  readonly signature: ModelSignature;
}

/** Enough to see the form of a request; more would be a wall of zeros. */
const MOST_EXAMPLE_ELEMENTS = 1024;

const valueSchemas: Readonly<Record<Datatype, Schema>> = {
  BOOL: { type: 'boolean' },
  UINT8: { type: 'integer', minimum: 0, maximum: 255 },
  UINT16: { type: 'integer', minimum: 0, maximum: 65_535 },
  UINT32: { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
  UINT64: { type: 'integer', minimum: 0 },
  INT8: { type: 'integer', minimum: -128, maximum: 127 },
  INT16: { type: 'integer', minimum: -32_768, maximum: 32_767 },
  INT32: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  INT64: { type: 'integer', format: 'int64' },
  FP16: { type: 'number', description: 'FP16 travels as binary tensor data only.' },
  FP32: { type: 'number', format: 'float' },
  FP64: { type: 'number', format: 'double' },
  BYTES: { type: 'string' },
};

function dimensionSchema(size: number | string): Schema {
  if (typeof size === 'number' && size >= 0) return { const: size };
  const description = typeof size === 'string' ? `'${size}': the same wherever it occurs` : 'any size';
  return { type: 'integer', minimum: 0, description };
}

function shapeSchema(shape: TensorSpecification['shape']): Schema {
  // A model that says nothing of its shape takes whatever ONNX Runtime takes.
  if (shape.length === 0) return { type: 'array', items: { type: 'integer', minimum: 0 } };
  return {
    type: 'array',
    prefixItems: shape.map(dimensionSchema),
    items: false,
    minItems: shape.length,
    description: `[${shape.join(', ')}]`,
  };
}

function tensorSchema({ name, datatype, shape }: TensorSpecification): Schema {
  return {
    type: 'object',
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: { const: name },
      datatype: { const: datatype },
      shape: shapeSchema(shape),
      parameters: { type: 'object', description: 'binary_data_size, where the tensor lies behind the JSON.' },
      data: {
        type: 'array',
        description: 'Flat or nested, in row-major order.',
        items: { anyOf: [valueSchemas[datatype], { type: 'array' }] },
      },
    },
  };
}

function zeroOf(datatype: Datatype): unknown {
  if (datatype === 'BOOL') return false;
  return datatype === 'BYTES' ? '' : 0;
}

/** Zeros of the smallest shape that the model takes; undefined when that is too much to show, or has no form in JSON. */
export function exampleRequest({ inputs }: ModelSignature): Schema | undefined {
  const tensors = inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (typeof size === 'number' && size >= 0 ? size : 1));
    const elementCount = sizes.reduce((product, size) => product * size, 1);
    return { name, datatype, shape: sizes, elementCount };
  });
  const elementCount = tensors.reduce((sum, tensor) => sum + tensor.elementCount, 0);
  if (elementCount > MOST_EXAMPLE_ELEMENTS || tensors.some(({ datatype }) => datatype === 'FP16')) {
    return undefined;
  }
  return {
    inputs: tensors.map(({ elementCount: length, ...head }) => ({
      ...head,
      data: Array.from({ length }, () => zeroOf(head.datatype)),
    })),
  };
}

const requestParameters: Schema = {
  type: 'object',
  properties: {
    readable: { type: 'boolean', description: 'Predictions for people besides the tensors.' },
    timeout: { type: ['integer', 'string'], description: 'Microseconds.' },
    binary_data_output: { type: 'boolean', description: 'All outputs as binary tensor data.' },
  },
};

const outputParameters: Schema = {
  type: 'object',
  properties: {
    binary_data: { type: 'boolean' },
    classification: { type: 'integer', minimum: 0, description: 'So many of the highest classes.' },
  },
};

function requestedOutputSchema({ outputs }: ModelSignature): Schema {
  return {
    type: 'object',
    required: ['name'],
    properties: { name: { enum: outputs.map(({ name }) => name) }, parameters: outputParameters },
  };
}

function requestSchema(signature: ModelSignature): Schema {
  const { inputs } = signature;
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string', description: 'Comes back in the answer.' },
      parameters: requestParameters,
      inputs: {
        type: 'array',
        description: `Each of ${inputs.map(({ name }) => `'${name}'`).join(', ')} once, in any order.`,
        minItems: inputs.length,
        maxItems: inputs.length,
        items: { oneOf: inputs.map(tensorSchema) },
      },
      outputs: {
        type: 'array',
        description: 'Those that are wanted; without it, all of them.',
        items: requestedOutputSchema(signature),
      },
    },
  };
}

function answerSchema({ outputs }: ModelSignature): Schema {
  return {
    type: 'object',
    required: ['model_name', 'model_version', 'outputs'],
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      outputs: { type: 'array', items: { oneOf: outputs.map(tensorSchema) } },
      predictions: { type: 'array', items: { type: 'object' } },
    },
  };
}

function json(schema: Schema, extra: Schema = {}): Schema {
  return { content: { 'application/json': { schema, ...extra } } };
}

const errorSchema: Schema = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string', description: 'What was expected, and what came.' } },
};

function read(summary: string): Schema {
  return {
    get: {
      summary,
      responses: { 200: { description: 'Yes.', ...json({ type: 'object' }) }, 503: refusal('Not now.') },
    },
  };
}

function refusal(description: string): Schema {
  return { description, ...json(errorSchema) };
}

function inferOperation(signature: ModelSignature): Schema {
  const example = exampleRequest(signature);
  return {
    post: {
      summary: 'Ask the model.',
      operationId: 'infer',
      requestBody: {
        required: true,
        ...json(requestSchema(signature), example === undefined ? {} : { example }),
      },
      responses: {
        200: { description: "The model's outputs.", ...json(answerSchema(signature)) },
        400: refusal('The request is not what the model takes.'),
        429: refusal('Overloaded: try again after `retry-after` seconds.'),
        500: refusal('The model failed.'),
        503: refusal('The model is not ready.'),
      },
    },
  };
}

/** OpenAPI 3.1 of this very model: its names, types and shapes are in the schemas, so that clients can be generated. */
export function buildDocument({
  modelName,
  modelVersion,
  revision,
  serverVersion,
  signature,
}: Served): Schema {
  const model = `/v2/models/${encodeURIComponent(modelName)}`;
  return {
    openapi: '3.1.0',
    info: {
      title: modelName,
      version: modelVersion,
      description: `Revision ${revision}, served by headgate ${serverVersion} over the Open Inference Protocol v2.`,
    },
    // Relative to this document, so that it holds behind any prefix of a gateway.
    servers: [{ url: '..' }],
    paths: {
      '/v2': read('The server and its extensions.'),
      '/v2/health/live': read('Is the server alive?'),
      '/v2/health/ready': read('Should traffic come here?'),
      [model]: read('Names, types and shapes of inputs and outputs.'),
      [`${model}/ready`]: read('Can the model answer?'),
      [`${model}/config`]: read('The configuration of the model.'),
      [`${model}/stats`]: read('What the model has done since the server started.'),
      [`${model}/infer`]: inferOperation(signature),
    },
  };
}
