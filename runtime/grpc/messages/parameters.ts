import type { ParameterValue } from '../../inference/inference.ts';
import { wireTypes, type WireReader } from '../protobuf/wire-reader.ts';

const MAXIMUM_PARAMETERS = 64;

function asParameter(value: bigint): ParameterValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** InferParameter: one of bool, int64, string, double and uint64. */
function readValue(message: WireReader): ParameterValue | undefined {
  let value: ParameterValue | undefined;
  message.readFields({
    1: (reader, wireType) => {
      reader.expect(wireType, wireTypes.varint, 'bool_param');
      value = reader.boolean();
    },
    2: (reader, wireType) => {
      reader.expect(wireType, wireTypes.varint, 'int64_param');
      value = asParameter(reader.int64());
    },
    3: (reader, wireType) => {
      reader.expect(wireType, wireTypes.bytes, 'string_param');
      value = reader.string('string_param');
    },
    4: (reader, wireType) => {
      reader.expect(wireType, wireTypes.fixed64, 'double_param');
      value = reader.double();
    },
    5: (reader, wireType) => {
      reader.expect(wireType, wireTypes.varint, 'uint64_param');
      value = asParameter(reader.uint64());
    },
  });
  return value;
}

/** One entry of a map<string, InferParameter>. A parameter without a value means nothing and is left out. */
export function readParameter(
  reader: WireReader,
  wireType: number,
  parameters: Map<string, ParameterValue>,
): void {
  reader.expect(wireType, wireTypes.bytes, 'parameters');
  let key = '';
  let value: ParameterValue | undefined;
  reader.message().readFields({
    1: (entry, type) => {
      entry.expect(type, wireTypes.bytes, 'the key of a parameter');
      key = entry.string('the key of a parameter');
    },
    2: (entry, type) => {
      entry.expect(type, wireTypes.bytes, 'the value of a parameter');
      value = readValue(entry.message());
    },
  });
  if (value !== undefined) parameters.set(key, value);
  if (parameters.size > MAXIMUM_PARAMETERS) reader.fail(`more than ${MAXIMUM_PARAMETERS} parameters`);
}
