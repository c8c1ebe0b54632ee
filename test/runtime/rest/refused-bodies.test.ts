import { once } from 'node:events';
import { request, Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const KIBIBYTE = 1024;
/** Of all bodies together. */
const MEMORY_BYTES = 1024 * KIBIBYTE;

let server: RuntimeProcess;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
beforeAll(async () => {
  server = await RuntimeProcess.start({ HEADGATE_REQUESTS_MAX_BYTES: String(MEMORY_BYTES) });
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
});

function post(headers: Readonly<Record<string, string | number>>, body: Buffer): ClientRequest {
  const call = request({
    ...{ port: server.port, method: 'POST', path: '/v2/models/tumour/infer', agent },
    headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
  });
  call.on('error', () => undefined);
  return call;
}

async function answerOf(call: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}

/** Whoever has sent most of a body, and no more, holds the memory of all. */
function holdMemory(): Socket {
  const holder = connect(server.port, '127.0.0.1');
  const headers = `content-type: application/json\r\ncontent-length: ${900 * KIBIBYTE}`;
  holder.write(`POST /v2/models/tumour/infer HTTP/1.1\r\nhost: test\r\n${headers}\r\n\r\n`);
  holder.write(Buffer.alloc(800 * KIBIBYTE, ' '));
  return holder;
}

describe('a body that is not read because there is too much of it all together', () => {
  it('is thrown away, and its connection serves the next request', async () => {
    let holder = holdMemory();
    const large = Buffer.alloc(600 * KIBIBYTE, ' ');
    let refused: IncomingMessage | undefined;
    await server.until('out of memory for bodies', async () => {
      // It came second, and was refused itself.
      if (holder.bytesRead > 0) holder = holdMemory();
      const call = post({}, large);
      call.end(large);
      refused = await answerOf(call);
      return refused.statusCode === 429;
    });
    expect(refused?.headers['retry-after']).toBe('1');
    expect(refused?.headers.connection).not.toBe('close');
    const next = post({}, sampleRequest);
    next.end(sampleRequest);
    expect((await answerOf(next)).statusCode).toBe(200);
    expect(next.reusedSocket).toBe(true);
    holder.destroy();
  });
});

describe('a client that asks before it sends its body', () => {
  it('is told to send it where it is wanted', async () => {
    const call = post({ expect: '100-continue' }, sampleRequest);
    call.once('continue', () => call.end(sampleRequest));
    call.flushHeaders();
    expect((await answerOf(call)).statusCode).toBe(200);
  });

  it('is answered without it where it is not, and its connection ends', async () => {
    const call = post({ expect: '100-continue', 'content-type': 'text/csv' }, sampleRequest);
    let wasTold = false;
    call.once('continue', () => (wasTold = true));
    call.flushHeaders();
    const { statusCode, headers } = await answerOf(call);
    expect(statusCode).toBe(415);
    expect(headers.connection).toBe('close');
    expect(wasTold).toBe(false);
    call.destroy();
  });
});
