import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestError } from '../../../runtime/errors.ts';
import type { TensorData } from '../../../runtime/tensor/datatype.ts';
import { parseInferRequest } from '../../../runtime/tensor/infer-request.ts';

function requestOf(datatype: string, shape: readonly number[], data: string): Buffer {
  return Buffer.from(
    `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape.join(',')}],"data":${data}}]}`,
  );
}

function readData(datatype: string, shape: readonly number[], data: string): TensorData {
  const [input] = parseInferRequest(requestOf(datatype, shape, data)).inputs;
  if (input === undefined) throw new Error('the request has one input');
  return input.data;
}

function refusalOf(body: string | Buffer): Pick<RequestError, 'reason' | 'message'> {
  try {
    parseInferRequest(Buffer.from(body));
  } catch (error) {
    const { reason, message } = error as RequestError;
    return { reason, message };
  }
  throw new Error('the request was accepted');
}

/** What stands between two tokens must not matter. */
const blank = fc.stringMatching(/^[ \n\r\t]{0,3}$/);

describe('an infer request', () => {
  it.each([
    ['INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['UINT64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  ])('keeps every digit of %s, beyond what a double can hold', (datatype, values) => {
    fc.assert(
      fc.property(fc.array(values), blank, (expected, space) => {
        const text = `[${space}${expected.map(String).join(`${space},${space}`)}${space}]`;
        expect([...readData(datatype, [expected.length], text)]).toEqual(expected);
      }),
    );
  });

  it('reads FP64 to the very double that JSON.parse reads', () => {
    const written = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,2})?$/),
    );
    fc.assert(
      fc.property(fc.array(written), (texts) => {
        const expected = texts.map((text) => JSON.parse(text) as number);
        expect([...readData('FP64', [texts.length], `[${texts.join(',')}]`)]).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads FP32 to the nearest single of what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const text = JSON.stringify(values);
        const expected = (JSON.parse(text) as number[]).map(Math.fround);
        expect([...readData('FP32', [values.length], text)]).toEqual(expected);
      }),
    );
  });

  it('keeps NaN, the infinities and the sign of zero', () => {
    expect([...readData('FP32', [4], '[NaN, Infinity, -Infinity, -0.0]')]).toEqual([
      NaN,
      Infinity,
      -Infinity,
      -0,
    ]);
  });

  it.each([
    ['BOOL', '[true,false]', [1, 0]],
    ['UINT8', '[0,255]', [0, 255]],
    ['INT8', '[-128,127]', [-128, 127]],
    ['UINT16', '[0,65535]', [0, 65_535]],
    ['INT16', '[-32768,32767]', [-32_768, 32_767]],
    ['UINT32', '[0,4294967295]', [0, 4_294_967_295]],
    ['INT32', '[-2147483648,2147483647]', [-2_147_483_648, 2_147_483_647]],
    ['BYTES', '["Zürich","\\u00e9\\n"]', ['Zürich', 'é\n']],
  ])('reads %s up to its limits', (datatype, text, expected) => {
    expect([...readData(datatype, [2], text)]).toEqual(expected);
  });

  it.each([
    ['UINT8', '[256]', '0 to 255'],
    ['INT8', '[-129]', '-128 to 127'],
    ['INT32', '[1.5]', 'a whole number'],
    ['INT32', '[1e2]', 'a whole number'],
    ['INT64', '[9223372036854775808]', '9223372036854775807'],
    ['UINT64', '[-1]', '0 to 18446744073709551615'],
    ['FP32', '[1e39]', 'a number that FP32 can hold'],
    ['FP64', '[1e400]', 'a number that FP64 can hold'],
    ['FP32', '["1"]', 'a number'],
    ['FP32', '[null]', 'a number'],
    ['BOOL', '[1]', 'true or false'],
    ['BYTES', '[1]', 'a string'],
    ['BYTES', '["a\\u0000b"]', 'U+0000'],
    ['BYTES', '["\\ud800"]', 'lone surrogates'],
  ])('refuses %s %s and names the tensor, the element and what was expected', (datatype, data, expected) => {
    const { reason, message } = refusalOf(requestOf(datatype, [1], data));
    expect(reason).toBe('InvalidTensor');
    expect(message).toContain(`tensor 'x': element 0 of datatype ${datatype}`);
    expect(message).toContain(expected);
  });

  it('reads nested data as it reads flat data', () => {
    const flat = readData('INT32', [2, 3], '[1,2,3,4,5,6]');
    expect(readData('INT32', [2, 3], '[[1,2,3],[4,5,6]]')).toEqual(flat);
    expect(readData('INT32', [2, 1, 3], '[[[1,2,3]],[[4,5,6]]]')).toEqual(flat);
  });

  it.each([
    [[2, 2], '[1,2,3]', 'expected 4 values for shape [2,2], got 3'],
    [[2, 2], '[1,2,3,4,5]', 'expected 4 values for shape [2,2], got more'],
    [[2, 2], '[[1,2],[3]]', 'expected 2 entries at level 1'],
    [[2, 2], '[[1,2]]', 'expected 2 entries at level 0'],
    [[2, 2], '[[1,2],3]', 'nesting'],
    [[4], '[[1,2,3,4]]', 'element 0'],
    [[2147483648, 2147483648], '[1]', 'more than the body can hold'],
  ])('refuses data that does not fit shape %j: %s', (shape, data, expected) => {
    expect(refusalOf(requestOf('INT32', shape, data)).message).toContain(expected);
  });

  it('takes the members of a tensor in any order', () => {
    const members = ['"name":"x"', '"datatype":"INT64"', '"shape":[1]', '"data":[9007199254740993]'];
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: members.length }), (shuffled) => {
        const request = parseInferRequest(Buffer.from(`{"inputs":[{${shuffled.join(',')}}]}`));
        expect(request.inputs).toEqual([
          { name: 'x', datatype: 'INT64', shape: [1], data: new BigInt64Array([9007199254740993n]) },
        ]);
      }),
    );
  });

  it('knows the id, the parameters and the wanted outputs, and passes over what it does not know', () => {
    const request = parseInferRequest(
      Buffer.from(
        '{"id":"7","parameters":{"a":[1,{}],"timeout":9223372036854775807,"eager":true},"outputs":[{"name":"y","parameters":{"binary_data":false}}],"inputs":[],"x":null}',
      ),
    );
    expect(request).toEqual({
      id: '7',
      parameters: new Map<string, unknown>([
        ['timeout', 9_223_372_036_854_775_807n],
        ['eager', true],
      ]),
      inputs: [],
      outputs: [{ name: 'y', parameters: new Map([['binary_data', false]]) }],
    });
  });

  it('gives members named like those of every object no meaning', () => {
    expect(parseInferRequest(Buffer.from('{"__proto__":{"id":"no"},"constructor":1,"inputs":[]}')).id).toBe(
      undefined,
    );
  });

  it.each([
    ['', 'the end of the body'],
    ['[]', 'an infer request (a JSON object)'],
    ['{}', "no 'inputs'"],
    ['{"inputs":{}}', "an array in 'inputs'"],
    ['{"inputs":[]} x', 'nothing after the JSON value'],
    ['{"inputs":[],"inputs":[]}', "'inputs' occurs twice"],
    ['{"id":7,"inputs":[]}', "a string in 'id'"],
    ['{"inputs":[{"name":"x"}]}', "needs 'name', 'datatype' and 'shape'"],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}', "'data' is missing"],
    ['{"inputs":[{"name":"x","datatype":"FP8","shape":[1],"data":[1]}]}', "'FP8' is not known"],
    [
      '{"inputs":[{"name":"x","datatype":"BF16","shape":[1],"data":[1]}]}',
      'BF16: ONNX Runtime for Node cannot take bfloat16',
    ],
    ['{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]}', 'FP16 has no JSON form'],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[-1],"data":[1]}]}', "'-1'"],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1.5],"data":[1]}]}', "'1.5'"],
    ['{"inputs":[],"outputs":[{}]}', "outputs[0] needs a 'name'"],
  ])('refuses %j with a sentence that says why', (body, expected) => {
    expect(refusalOf(body).message).toContain(expected);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(refusalOf(Buffer.from([0x22, 0xff, 0x22])).message).toContain('not UTF-8');
  });

  it('answers any bytes with a request or a refusal, never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 120 }), (noise, at) => {
        const body = requestOf('FP32', [1, 2], '[[1.5,-2e3]]');
        body.set(noise.slice(0, body.length - Math.min(at, body.length)), Math.min(at, body.length));
        try {
          parseInferRequest(body);
        } catch (error) {
          expect((error as RequestError).httpStatus).toBe(400);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an infer request with binary tensor data', () => {
  const input = (name: string, size: number, extra = ''): string =>
    `{"name":"${name}","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":${size}}${extra}}`;
  const parse = (inputs: readonly string[], binary: Buffer): unknown =>
    parseInferRequest(Buffer.from(`{"inputs":[${inputs.join(',')}]}`), binary).inputs.map(({ data }) => data);
  const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

  it('takes the bytes behind the JSON in the order of the inputs, between tensors in JSON', () => {
    const inJson = '{"name":"b","shape":[2],"datatype":"FP32","data":[3,4]}';
    expect(parse([input('a', 8), inJson, input('c', 8)], floats(1, 2, 5, 6))).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(3, 4),
      Float32Array.of(5, 6),
    ]);
  });

  it.each<[string, readonly string[], Buffer]>([
    [
      "tensor 'b': expected 8 bytes of binary data behind the JSON, got 4",
      [input('a', 8), input('b', 8)],
      floats(1, 2, 3),
    ],
    ['4 bytes behind the JSON that belong to no input', [input('a', 8)], floats(1, 2, 3)],
    ["tensor 'a': expected 8 bytes for FP32[2], got 4", [input('a', 4)], floats(1)],
    [
      "tensor 'a': has 'data' and 'binary_data_size': expected one",
      [input('a', 8, ',"data":[1,2]')],
      floats(1, 2),
    ],
    ["'binary_data_size' is '-1': expected a whole number", [input('a', -1)], floats()],
    ["'binary_data_size' is '1.5': expected a whole number", [input('a', 1.5)], floats()],
  ])('is refused with: %s', (message, inputs, binary) => {
    expect(() => parse(inputs, binary)).toThrow(message);
  });
});
