import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BodyBudget } from '../../../runtime/body/budget.ts';
import { RequestError } from '../../../runtime/errors.ts';
import { inferStreamMethod } from '../../../runtime/grpc/methods/infer-stream.ts';
import { inferMethod } from '../../../runtime/grpc/methods/infer.ts';
import { GrpcServer } from '../../../runtime/grpc/transport/grpc-server.ts';
import { InferenceService, type InferenceCall } from '../../../runtime/inference/inference-service.ts';
import type { JourneyObserver } from '../../../runtime/inference/journey.ts';
import { Intake } from '../../../runtime/intake/intake.ts';
import { createLog } from '../../../runtime/log.ts';
import { InferRoute } from '../../../runtime/rest/infer-route.ts';
import { RestServer } from '../../../runtime/rest/rest-server.ts';
import type { ClientOrder, ClientProtocol } from '../../support/client-thread.ts';
import { answerOf, floats, requestOf } from '../../support/journey.ts';

const MEBIBYTE = 2 ** 20;
const MODEL = 'tumour';
const PATH = `/v2/models/${MODEL}/infer`;
const PATIENCE_MS = 5000;

const log = createLog('error', {});
const signature = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 1] }],
  outputs: [{ name: 'Y', datatype: 'FP32', shape: [1, 1] }],
} as const;
const dataPlane = {
  infer: () => ({ outputs: Promise.resolve([floats('Y', [2])]), withdraw: () => undefined }),
  present: (_request: unknown, outputs: Parameters<typeof answerOf>[0]) => answerOf(outputs),
  requireModel: () => undefined,
};
const endlessRoom = { depth: 0, runMs: 0, hasRoom: () => true, onRoom: () => undefined };

interface Served {
  readonly ports: Readonly<Record<ClientProtocol, number>>;
  readonly budget: BodyBudget;
}

let stopServing: (() => Promise<void>) | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await stopServing?.();
  stopServing = undefined;
});

function buildService(observer: JourneyObserver): InferenceService {
  return new InferenceService({
    ...{ dataPlane, log, revision: 'r1', timeoutMs: undefined, observers: [observer] },
    intake: new Intake(endlessRoom, 10),
  });
}

async function serve(observer: JourneyObserver): Promise<Served> {
  const budget = new BodyBudget(MEBIBYTE, MEBIBYTE);
  const service = buildService(observer);
  const route = new InferRoute({ service, budget, readSignature: () => signature });
  const onConnection = (): undefined => undefined;
  const rest = new RestServer({
    ...{ modelName: MODEL, log, onConnection, style: { revision: 'r1', isClosing: () => false } },
    routes: new Map([[PATH, { method: 'POST', handle: (exchange) => route.handle(exchange) }]]),
  });
  const grpc = new GrpcServer({
    ...{ revision: 'r1', budget, log, onConnection },
    methods: new Map([
      ['/inference.GRPCInferenceService/ModelInfer', inferMethod(service, dataPlane)],
      ['/inference.GRPCInferenceService/ModelStreamInfer', inferStreamMethod(service, dataPlane)],
    ]),
  });
  const grpcPort = await grpc.listen(0);
  stopServing = async () => {
    await Promise.all([rest.close(), grpc.close()]);
    service.close();
  };
  return { ports: { HTTP: await rest.listen(0), gRPC: grpcPort, 'gRPC stream': grpcPort }, budget };
}

const counter = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

/** A client asks twice; resolves when it has left. */
async function askIn(protocol: ClientProtocol, { ports }: Served, answers = counter()): Promise<void> {
  const order: ClientOrder = {
    ...{ protocol, port: ports[protocol], modelName: MODEL },
    answers: answers.buffer as SharedArrayBuffer,
  };
  const thread = new Worker(new URL('../../support/client-thread.ts', import.meta.url), {
    workerData: order,
  });
  const [exitCode] = (await once(thread, 'exit')) as [number];
  expect(exitCode).toBe(0);
  // The end of a thread is told at the end of a turn, before what else is done there.
  await turn();
}

/** Pre: the answer is made in this turn, whose end is the next thing that Node waits for. */
async function whenItHasLeft(protocol: ClientProtocol): Promise<void> {
  const ends = { HTTP: 0, 'gRPC stream': 1, gRPC: 2 }[protocol];
  for (let end = 0; end < ends; end++) await turn();
}

describe.each(['HTTP', 'gRPC', 'gRPC stream'] as const)('an answer over %s', (protocol) => {
  it('is with the client before anybody here looks at it', { timeout: 30_000 }, async () => {
    const answers = counter();
    let watched = 0;
    const waits: string[] = [];
    // All of this thread stands still until the client has what it asked for.
    const onEnd = (): void => void waits.push(Atomics.wait(answers, 0, watched++, PATIENCE_MS));
    const served = await serve({ onEnd });
    await askIn(protocol, served, answers);
    expect(waits).toHaveLength(2);
    expect(waits).not.toContain('timed-out');
  });

  it('has been looked at before anything comes that was sent when it had left', async () => {
    const seen: string[] = [];
    const observer = { onArrival: () => void seen.push('arrival'), onEnd: () => void seen.push('end') };
    const served = await serve(observer);
    const other = connect(served.ports.HTTP, '127.0.0.1');
    // A connection that has had an answer is one that is read from.
    other.write('GET /nowhere HTTP/1.1\r\nhost: here\r\n\r\n');
    await once(other, 'data');
    vi.spyOn(dataPlane, 'present').mockImplementationOnce((_request, outputs) => {
      // Node hands it to the kernel at once.
      void whenItHasLeft(protocol).then(() => other.write(`POST ${PATH} HTTP/1.1\r\nhost: here\r\n\r\n`));
      return answerOf(outputs);
    });
    await askIn(protocol, served);
    other.destroy();
    expect(seen.slice(0, 3)).toEqual(['arrival', 'end', 'arrival']);
  });

  it('is an answer although whoever looks at it fails, which is logged and holds no memory', async () => {
    const told = vi.spyOn(log, 'error').mockReturnValue(log);
    const onEnd = (): void => {
      throw new Error('an eye is sore');
    };
    const answers = counter();
    const served = await serve({ onEnd });
    await askIn(protocol, served, answers);
    expect(answers[0]).toBe(2);
    expect(told.mock.calls.map(([message]) => message)).toEqual([
      'an answer was not watched',
      'an answer was not watched',
    ]);
    // All of the memory is there for others.
    expect(() => served.budget.reserve(MEBIBYTE)).not.toThrow();
  });
});

/** What cannot be received is refused. */
function unreceivable(given: Partial<InferenceCall>): InferenceCall {
  return {
    ...{ requestId: 'request-1', protocol: 'rest', form: 'Json', turnsToLeave: 1 },
    ...{ isLaterInStream: false, isClientGone: false, deadlineAtMs: undefined },
    header: () => undefined,
    receive: () => Promise.reject(new RequestError('MalformedRequest', 'this cannot be received')),
    parse: () => requestOf(),
    onHangUp: () => undefined,
    deliver: () => undefined,
    refuse: () => undefined,
    close: () => undefined,
    ...given,
  };
}

describe('a request that can be neither answered nor refused', () => {
  it('gives back what it holds', async () => {
    const close = vi.fn<() => void>();
    const onEnd = vi.fn<JourneyObserver['onEnd']>();
    const refuse = (): void => {
      throw new Error('the line is cut');
    };
    const handling = buildService({ onEnd }).handle(unreceivable({ refuse, close }));
    await expect(handling).rejects.toThrow('the line is cut');
    await turn();
    expect(close).toHaveBeenCalledTimes(1);
    expect(onEnd).not.toHaveBeenCalled();
  });
});

describe('a service that is closed', () => {
  it('has told of all its requests', async () => {
    const onEnd = vi.fn<JourneyObserver['onEnd']>();
    const service = buildService({ onEnd });
    await service.handle(unreceivable({ turnsToLeave: 2 }));
    expect(onEnd).not.toHaveBeenCalled();
    service.close();
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});
