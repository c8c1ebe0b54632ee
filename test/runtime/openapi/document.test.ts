import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDocument, exampleRequest } from '../../../runtime/openapi/document.ts';
import { datatypes, type ModelSignature } from '../../../runtime/tensor/datatype.ts';
import { parseInferRequest } from '../../../runtime/tensor/infer-request.ts';
import { planInference } from '../../../runtime/tensor/validate.ts';
import { readReference } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

interface Content {
  readonly content: { readonly 'application/json': { readonly schema: object; readonly example?: unknown } };
}
interface Document {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly post?: {
          readonly requestBody: Content;
          readonly responses: Readonly<Record<string, Content>>;
        };
      }
    >
  >;
}

const everyDatatype: ModelSignature = {
  inputs: datatypes
    .filter((datatype) => datatype !== 'FP16')
    .map((datatype) => ({ name: `in_${datatype}`, datatype, shape: ['batch', 2, -1] })),
  outputs: [{ name: 'out', datatype: 'FP32', shape: ['batch'] }],
};

function documentOf(signature: ModelSignature, modelName = 'm'): Document {
  const served = { modelName, modelVersion: '1', revision: 'm-1', serverVersion: '0', signature };
  return buildDocument(served) as unknown as Document;
}

/** Sentences of what is wrong; none when the value is what the schema says. */
function problemsOf(schema: object, value: unknown): readonly string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(schema);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message = '' }) => instancePath + message);
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1 for a model of every datatype', async () => {
    const { valid, errors } = await new Validator().validate(
      JSON.parse(JSON.stringify(documentOf(everyDatatype))) as Record<string, unknown>,
    );
    expect([valid, errors]).toEqual([true, undefined]);
  });

  it('has an example that its own schema and the server take', () => {
    const example = exampleRequest(everyDatatype);
    const { requestBody } = documentOf(everyDatatype).paths['/v2/models/m/infer']?.post ?? {};
    expect(problemsOf(requestBody?.content['application/json'].schema ?? {}, example)).toEqual([]);
    const request = parseInferRequest(Buffer.from(JSON.stringify(example)));
    expect(planInference(request, everyDatatype).inputs).toHaveLength(datatypes.length - 1);
  });

  it.each([
    ['UINT8', 0, 255],
    ['UINT16', 0, 65_535],
    ['UINT32', 0, 2 ** 32 - 1],
    ['INT8', -128, 127],
    ['INT16', -(2 ** 15), 2 ** 15 - 1],
    ['INT32', -(2 ** 31), 2 ** 31 - 1],
  ] as const)('bounds %s as the datatype does', (datatype, least, greatest) => {
    const x = { name: 'x', datatype, shape: ['n'] };
    const signature = { inputs: [x], outputs: [x] };
    const { requestBody } = documentOf(signature).paths['/v2/models/m/infer']?.post ?? {};
    const problemsWith = (value: number): readonly string[] =>
      problemsOf(requestBody?.content['application/json'].schema ?? {}, {
        inputs: [{ name: 'x', datatype, shape: [1], data: [value] }],
      });
    expect([...problemsWith(least), ...problemsWith(greatest)]).toEqual([]);
    for (const beyond of [least - 1, greatest + 1]) expect(problemsWith(beyond)).not.toEqual([]);
  });

  it("leads to the model behind any prefix of a gateway, whatever the model's name", () => {
    const { servers, paths } = documentOf(everyDatatype, 'a b/c');
    const base = new URL(servers[0]?.url ?? '', 'https://example.com/fraud/v2/openapi.json');
    expect(base.pathname.replace(/\/$/u, '')).toBe('/fraud');
    expect(Object.keys(paths)).toContain('/v2/models/a%20b%2Fc/infer');
  });

  it.each<[string, ModelSignature['inputs'][number]]>([
    ['an image would be a wall of zeros', { name: 'x', datatype: 'FP32', shape: [-1, 3, 224, 224] }],
    ['FP16 has no form in JSON', { name: 'x', datatype: 'FP16', shape: [1] }],
  ])('has no example where %s', (_why, input) => {
    expect(exampleRequest({ inputs: [input], outputs: [] })).toBeUndefined();
  });
});

describe('the OpenAPI document of a running server', { timeout: 60_000 }, () => {
  let runtime: RuntimeProcess;
  beforeAll(async () => {
    runtime = await RuntimeProcess.start();
  }, 60_000);
  afterAll(() => runtime.stop());

  async function readOperation(): Promise<NonNullable<Document['paths'][string]['post']>> {
    const document = JSON.parse((await runtime.ask('/v2/openapi.json')).text) as Document;
    const operation = document.paths['/v2/models/tumour/infer']?.post;
    if (operation === undefined) throw new Error('the document has no infer operation');
    return operation;
  }

  it('describes real requests and real answers, and neither wrong names nor wrong shapes', async () => {
    const { requestBody, responses } = await readOperation();
    const { request } = readReference();
    const requestSchema = requestBody.content['application/json'].schema;
    expect(problemsOf(requestSchema, request)).toEqual([]);
    const [X] = request.inputs;
    expect(problemsOf(requestSchema, { inputs: [{ ...X, name: 'Y' }] })).not.toEqual([]);
    for (const shape of [[8, 31], [8], [8, 30, 1]])
      expect(problemsOf(requestSchema, { inputs: [{ ...X, shape }] })).not.toEqual([]);
    const body = JSON.stringify({ ...request, id: '1', parameters: { readable: true } });
    const answer: unknown = JSON.parse((await runtime.infer(body)).text);
    expect(problemsOf(responses['200']?.content['application/json'].schema ?? {}, answer)).toEqual([]);
    const refused = await runtime.infer('{}');
    const refusal: unknown = JSON.parse(refused.text);
    expect(problemsOf(responses[refused.status]?.content['application/json'].schema ?? {}, refusal)).toEqual(
      [],
    );
  });

  it('has an example that the server answers', async () => {
    const { example } = (await readOperation()).requestBody.content['application/json'];
    expect((await runtime.infer(JSON.stringify(example))).status).toBe(200);
  });

  it('has a page beside it that loads nothing from elsewhere', async () => {
    const page = await runtime.ask('/v2/docs');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const [, nonce = ''] = /<script type="module" nonce="([^"]+)"/u.exec(page.text) ?? [];
    expect(page.headers['content-security-policy']).toContain(`script-src 'nonce-${nonce}'`);
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
    expect((await runtime.ask('/v2/docs')).text).not.toContain(nonce);
  });
});
