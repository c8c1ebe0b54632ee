import { RuntimeProcess } from '../support/runtime-process.ts';
import { goodTraffic, residentBytes, type GoodTraffic } from './good-traffic.ts';
import { fuzzGrpc, wellFormedCall, type GrpcFuzzReport } from './grpc-fuzz.ts';
import { fuzzHttp, wellFormed, type HttpFuzzReport } from './http-fuzz.ts';

export interface RuntimeFuzzOptions {
  readonly seed: number;
  readonly requests: number;
  readonly grpcRequests: number;
  /** So many good requests come first, over as many connections of each protocol, for comparison. */
  readonly ordinaryRequests: number;
}

export interface RuntimeFuzzReport extends HttpFuzzReport, GrpcFuzzReport {
  readonly seconds: number;
  /** What one good client got beside as much good traffic, and beside the mutated one. */
  readonly ordinary: GoodTraffic;
  readonly attacked: GoodTraffic;
  readonly residentBefore: number;
  readonly residentAfter: number;
  readonly executorRestarts: number;
  readonly serverErrors: readonly string[];
}

const CONNECTIONS = 12;
const GRPC_CONNECTIONS = 4;
/** Requests of well-formed load that bring the server's heap to its usual size first. */
const WARM_UP_REQUESTS = 4000;

async function executorRestarts(runtime: RuntimeProcess): Promise<number> {
  const { text } = await runtime.askManagement('/metrics');
  return Number(/^headgate_executor_restarts_total\{[^}]*\} (\d+)/mu.exec(text)?.[1]);
}

/** Attacks a real server over HTTP and gRPC while a good client goes on asking it. */
export async function fuzzRuntime(options: RuntimeFuzzOptions): Promise<RuntimeFuzzReport> {
  const { seed, requests, grpcRequests, ordinaryRequests } = options;
  const runtime = await RuntimeProcess.start();
  try {
    const { port, processId } = runtime;
    const base = { port, seed, connections: CONNECTIONS };
    await fuzzHttp({ ...base, seed: seed + 1000, requests: WARM_UP_REQUESTS });
    const grpcBase = { port: runtime.grpcPort, seed, connections: GRPC_CONNECTIONS };
    const grpcShare = grpcRequests / (requests + grpcRequests);
    const ordinary = await goodTraffic(port, () => {
      const grpcCalls = Math.round(ordinaryRequests * grpcShare);
      return Promise.all([
        fuzzHttp({ ...base, requests: ordinaryRequests - grpcCalls, always: wellFormed }),
        fuzzGrpc({ ...grpcBase, requests: grpcCalls, always: wellFormedCall }),
      ]);
    });
    const residentBefore = residentBytes(processId);
    const startedAtMs = performance.now();
    let http: HttpFuzzReport = { replies: {}, faults: [] };
    let grpc: GrpcFuzzReport = { statuses: {}, faults: [] };
    const attacked = await goodTraffic(port, async () => {
      [http, grpc] = await Promise.all([
        fuzzHttp({ ...base, requests }),
        fuzzGrpc({ ...grpcBase, requests: grpcRequests }),
      ]);
    });
    return {
      ...{ ...http, ...grpc, faults: [...http.faults, ...grpc.faults] },
      seconds: (performance.now() - startedAtMs) / 1000,
      ...{ ordinary, attacked, residentBefore },
      residentAfter: residentBytes(processId),
      executorRestarts: await executorRestarts(runtime),
      serverErrors: runtime.log.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line)),
    };
  } finally {
    await runtime.stop();
  }
}
