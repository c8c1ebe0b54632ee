/**
 * A thread that asks a server twice, the second time as soon as it has the first answer, and counts answers in memory
 * that the server's thread can wait for, even where that does nothing else.
 */
import { on } from 'node:events';
import { workerData } from 'node:worker_threads';
import { GrpcClient } from './grpc-client.ts';

export type ClientProtocol = 'HTTP' | 'gRPC' | 'gRPC stream';

export interface ClientOrder {
  readonly protocol: ClientProtocol;
  readonly port: number;
  readonly modelName: string;
  /** One number of 32 bits. */
  readonly answers: SharedArrayBuffer;
}

const REQUESTS = 2;
const { protocol, port, modelName, answers } = workerData as ClientOrder;
const count = new Int32Array(answers);

function tell(): void {
  Atomics.add(count, 0, 1);
  Atomics.notify(count, 0);
}

const tensor = { name: 'X', datatype: 'FP32', shape: [1, 1] };
const message = { model_name: modelName, inputs: [{ ...tensor, contents: { fp32_contents: [1] } }] };

async function askOverHttp(): Promise<void> {
  const url = `http://127.0.0.1:${port}/v2/models/${modelName}/infer`;
  const body = JSON.stringify({ inputs: [{ ...tensor, data: [1] }] });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the answer is ${answer.status}: ${text}`);
}

async function askInStream(client: GrpcClient): Promise<void> {
  const stream = client.streamInfer();
  const answered = on(stream, 'data');
  for (let request = 0; request < REQUESTS; request++) {
    stream.write(message);
    await answered.next();
    tell();
  }
  stream.end();
}

const client = new GrpcClient(port);
if (protocol === 'gRPC stream') await askInStream(client);
else {
  for (let request = 0; request < REQUESTS; request++) {
    await (protocol === 'HTTP' ? askOverHttp() : client.ask('ModelInfer', message));
    tell();
  }
}
client.close();
