import { RequestError } from '../errors.ts';
import { JsonScanner } from '../tensor/json-scanner.ts';
import { parseInferRequest } from '../tensor/infer-request.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { writeRaw } from '../tensor/raw.ts';
import type { RecordedRequest } from './recorded.ts';

export interface Replayed {
  readonly status: number;
  readonly outputs: readonly Tensor[];
  /** In the server, where it tells (Server-Timing), and else as it was seen from here. */
  readonly latencyMs: number;
}

/** Tensors go as bytes, exact whatever they hold; the answer comes as JSON, which every server of the protocol has. */
function encodeRequest({ requestId, inputs, outputs }: RecordedRequest): { json: string; body: Buffer } {
  const binary = inputs.map(writeRaw);
  const json = JSON.stringify({
    id: requestId,
    inputs: inputs.map(({ name, shape, datatype }, index) => ({
      name,
      shape,
      datatype,
      parameters: { binary_data_size: binary[index]?.length },
    })),
    outputs: outputs.map(({ tensor }) => ({ name: tensor.name, parameters: { binary_data: false } })),
  });
  return { json, body: Buffer.concat([Buffer.from(json), ...binary]) };
}

/** An answer's outputs have the form of a request's inputs. */
function readOutputs(body: Buffer): readonly Tensor[] {
  const scanner = new JsonScanner(body);
  let outputs = '[]';
  scanner.readObject('an answer', (key) => {
    scanner.peek();
    const start = scanner.position;
    scanner.skipValue();
    if (key === 'outputs') outputs = scanner.text(start, scanner.position);
  });
  return parseInferRequest(Buffer.from(`{"inputs":${outputs}}`)).inputs;
}

function serverLatencyMs(header: string | null): number | undefined {
  const total = /(?:^|[, ])total;dur=([0-9.]+)/u.exec(header ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

/** Rejects when there is no server, or when its answer cannot be read. */
export async function ask(url: string, request: RecordedRequest): Promise<Replayed> {
  const { json, body } = encodeRequest(request);
  const askedAtMs = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(Buffer.byteLength(json)),
      'x-request-id': request.requestId,
    },
  });
  const answer = Buffer.from(await response.arrayBuffer());
  const latencyMs = serverLatencyMs(response.headers.get('server-timing')) ?? performance.now() - askedAtMs;
  if (response.status !== 200) return { status: response.status, outputs: [], latencyMs };
  try {
    return { status: 200, outputs: readOutputs(answer), latencyMs };
  } catch (error) {
    if (error instanceof RequestError)
      throw new Error(`the answer cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}
