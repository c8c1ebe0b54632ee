import { HttpClient } from '../load/http-client.ts';
import { bytesOf, numbersOf, type Outputs, type Question, type Wire } from './wire.ts';

const HEADER_LENGTH = 'inference-header-content-length';

interface BinaryOutput {
  readonly name: string;
  readonly datatype: string;
  readonly parameters: { readonly binary_data_size: number };
}

/** The same path with the binary tensor data extension, both ways. */
export function v2Binary({ modelName, inputs, timeoutUs }: Question): Wire {
  const request = {
    inputs: inputs.map((input) => ({
      name: input.name,
      shape: input.shape,
      datatype: input.datatype,
      parameters: { binary_data_size: input.data.byteLength },
    })),
    parameters: { binary_data_output: true, ...(timeoutUs === undefined ? {} : { timeout: timeoutUs }) },
  };
  const json = Buffer.from(JSON.stringify(request));
  const headers = { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(json.length) };
  const body = Buffer.concat([json, ...inputs.map(bytesOf)]);
  return {
    connect: (port) => new HttpClient(port, `/v2/models/${modelName}/infer`, body, headers),
    decode: (client): Outputs => {
      const { head, body: answer } = client;
      const jsonBytes = Number(new RegExp(`${HEADER_LENGTH}: (\\d+)`, 'iu').exec(head)?.[1] ?? NaN);
      const { outputs } = JSON.parse(answer.toString('utf8', 0, jsonBytes)) as {
        outputs: readonly BinaryOutput[];
      };
      let position = jsonBytes;
      return new Map(
        outputs.map(({ name, datatype, parameters }) => {
          const start = position;
          position += parameters.binary_data_size;
          return [name, numbersOf(datatype, answer.subarray(start, position))];
        }),
      );
    },
  };
}
