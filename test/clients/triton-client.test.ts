import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { expected, expectReference, rows, seenBy } from './support.ts';

interface Failure {
  readonly status: string;
  readonly message: string;
}

type Seen = Readonly<Record<string, unknown>>;

/** What the program beside this file prints. */
interface Report {
  readonly grpc: Seen;
  readonly http: Seen;
  /** By message and field: number, type and whether it is repeated, as Triton has them. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
}

let runtime: RuntimeProcess;
let seen: Report;
beforeAll(async () => {
  runtime = await RuntimeProcess.start();
  seen = (await seenBy('triton_client.py', runtime, 'tumour', JSON.stringify(rows))) as Report;
}, 120_000);
afterAll(() => runtime.stop());

const model = {
  ...{ name: 'tumour', versions: ['1'], platform: 'onnx_onnxv1' },
  inputs: [expect.objectContaining({ name: 'X', datatype: 'FP32' })],
};
const configuration = { name: 'tumour', backend: 'onnxruntime', platform: 'onnx_onnxv1' };

describe("Triton's client for Python over gRPC", () => {
  it('finds the server and its model alive, ready and described', () => {
    expect(seen.grpc).toMatchObject({
      ...{ live: true, ready: true, modelReady: [true, false], model },
      server: { name: 'headgate' },
      config: { config: configuration },
      repository: { models: [{ name: 'tumour', version: '1', state: 'READY' }] },
    });
  });

  it.each(['plain', 'gzip', 'deflate', 'asynchronous', 'typed'])(
    'gets the answers of scikit-learn: %s',
    (way) => expectReference(seen.grpc[way]),
  );

  it('gets typed contents for typed contents, and its id back', () => {
    expect(seen.grpc).toMatchObject({ id: 'row 7', typed: { id: 'typed', raw: 0 } });
  });

  it('gets answers and errors of a stream in their order', () => {
    const [first, second, third] = seen.grpc['stream'] as unknown[];
    expectReference(first);
    expect(second).toBe("model 'other' is not served here; expected 'tumour'");
    expectReference(third);
  });

  it('gets classes, the likeliest first', () => {
    const classes = seen.grpc['classes'] as string[][];
    expect(classes.map(([first]) => Number(first?.split(':')[1]))).toEqual(expected?.label);
  });

  it.each([
    ['unknownModel', 'StatusCode.NOT_FOUND', /expected 'tumour'/],
    ['unknownInput', 'StatusCode.INVALID_ARGUMENT', /'Y'/],
    ['load', 'StatusCode.FAILED_PRECONDITION', /ModelDeployment/],
    ['unload', 'StatusCode.FAILED_PRECONDITION', /ModelDeployment/],
    ['sharedMemory', 'StatusCode.UNIMPLEMENTED', /raw_input_contents/],
    ['traces', 'StatusCode.UNIMPLEMENTED', /configuration/],
    ['log', 'StatusCode.UNIMPLEMENTED', /configuration/],
    ['late', 'StatusCode.DEADLINE_EXCEEDED', /./],
  ])('is told what is wrong: %s is %s', (what, code, words) => {
    const { status, message } = seen.grpc[what] as Failure;
    expect([status, message]).toEqual([code, expect.stringMatching(words)]);
  });

  it('reads the statistics of what it did', () => {
    expect(seen.grpc['statistics']).toMatchObject({
      model_stats: [
        {
          name: 'tumour',
          inference_stats: { success: { count: expect.stringMatching(/^[1-9]/) as string } },
        },
      ],
    });
  });
});

describe("Triton's client for Python over HTTP", () => {
  it('finds the server and its model alive, ready and described', () => {
    expect(seen.http).toMatchObject({
      ...{ live: true, ready: true, modelReady: true, model },
      server: { name: 'headgate' },
      config: configuration,
      repository: [{ name: 'tumour', version: '1', state: 'READY' }],
    });
  });

  it.each(['json', 'binary', 'mixed', 'gzip', 'deflate'])('gets the answers of scikit-learn: %s', (way) =>
    expectReference(seen.http[way]),
  );

  it('gets classes, an unknown model and statistics as over gRPC', () => {
    expect(seen.http['classes']).toEqual(seen.grpc['classes']);
    expect(seen.http['unknownModel']).toMatchObject({ status: '404' });
    expect(seen.http['statistics']).toMatchObject({ model_stats: [{ name: 'tumour' }] });
  });
});

interface Descriptor {
  readonly name: string;
  readonly field: readonly { name: string; number: number; type: string; label: string }[];
  readonly nestedType: readonly Descriptor[];
  readonly options: { readonly mapEntry?: boolean } | null;
}

/** In the order of FieldDescriptorProto.Type, from 1. */
const types = [
  ...['DOUBLE', 'FLOAT', 'INT64', 'UINT64', 'INT32', 'FIXED64', 'FIXED32', 'BOOL', 'STRING', 'GROUP'],
  ...['MESSAGE', 'BYTES', 'UINT32', 'ENUM'],
].map((name) => `TYPE_${name}`);

/** Every field of a message and of those within it, as [name, [number, type, is repeated]]. */
function fieldsOf(prefix: string, message: Descriptor): [string, unknown[]][] {
  const full = `${prefix}.${message.name}`;
  if (message.options?.mapEntry === true) return [];
  return [
    ...message.field.map(({ name, number, type, label }): [string, unknown[]] => [
      `${full}#${name}`,
      [number, types.indexOf(type) + 1, label === 'LABEL_REPEATED'],
    ]),
    ...message.nestedType.flatMap((nested) => fieldsOf(full, nested)),
  ];
}

describe('open-inference.proto', () => {
  it("has the numbers and types of Triton's messages", () => {
    const proto = fileURLToPath(new URL('../../runtime/grpc/open-inference.proto', import.meta.url));
    const ours = Object.entries(loadSync(proto, { keepCase: true })).flatMap(([name, { type }]) =>
      typeof type === 'object' && 'field' in type && name.split('.').length === 2
        ? fieldsOf('inference', type as unknown as Descriptor)
        : [],
    );
    const tritons = ours.map(([field]) => {
      const [message = '', name = ''] = field.split('#');
      return [field, seen.messages[message]?.[name]];
    });
    expect(ours.length).toBeGreaterThan(100);
    expect(ours).toEqual(tritons);
  });
});
