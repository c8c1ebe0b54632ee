import { createWriteStream } from 'node:fs';
import { Agent, request } from 'node:http';
import { GrpcLoad } from './grpc-load.ts';
import { formatRecord, type LoadPlan } from './load-record.ts';

/**
 * The process that makes the load of load.ts: open loop, so request n is due at n / rate whatever happened to the ones
 * before it. It ends when its input closes, after the answers that are still out.
 */
const plan = JSON.parse(process.argv[2] ?? '') as LoadPlan;
const results = createWriteStream(plan.resultFile, { flags: 'a' });
const agent = new Agent({ keepAlive: true, maxSockets: plan.connections, maxFreeSockets: plan.connections });
const grpc = plan.grpcModel === undefined ? undefined : new GrpcLoad(plan.grpcModel, plan);
const startedMs = performance.now();
let sent = 0;
let outstanding = 0;
let stopping = false;

const timer = setInterval(sendAllThatAreDue, 1);

process.stdin.resume();
process.stdin.on('close', () => {
  clearInterval(timer);
  stopping = true;
  endWhenAnswered();
});

function sendAllThatAreDue(): void {
  const due = Math.floor(((performance.now() - startedMs) / 1000) * plan.requestsPerSecond) + 1;
  for (; sent < due; sent += 1) send(sent, startedMs + (sent * 1000) / plan.requestsPerSecond);
}

/** Called once with what came back; status 0 stands for no answer. */
type Finish = (status: number, revision: string, problem: string) => void;

interface Attempt {
  readonly target: string;
  readonly body: string | undefined;
  readonly onSent: () => void;
  readonly finish: Finish;
}

function send(number: number, dueMs: number): void {
  const target = plan.targets[number % plan.targets.length] ?? '';
  const body = plan.bodies[number % plan.bodies.length];
  outstanding += 1;
  let finished = false;
  let sentMs = dueMs;
  const finish: Finish = (status, revision, problem) => {
    if (finished) return;
    finished = true;
    const latencyMs = performance.now() - dueMs;
    results.write(
      formatRecord({
        ...{ atMs: performance.timeOrigin + dueMs, sentAtMs: performance.timeOrigin + sentMs },
        ...{ latencyMs, status, revision, target, problem },
      }),
    );
    outstanding -= 1;
    endWhenAnswered();
  };
  const attempt = { target, body, finish, onSent: () => (sentMs = performance.now()) };
  if (grpc === undefined) askOverHttp(attempt);
  else void grpc.ask(target).then(({ status, revision, problem }) => finish(status, revision, problem));
}

function askOverHttp({ target, body, onSent, finish }: Attempt): void {
  const [hostname, port] = target.split(':');
  const call = request({
    ...{ hostname, port: Number(port), path: plan.path, method: plan.method, agent },
    headers: { host: plan.host, ...plan.headers, ...(body === undefined ? {} : lengthOf(body)) },
  });
  const timeout = setTimeout(() => {
    finish(0, '', `no answer in ${plan.timeoutMs} ms`);
    call.destroy();
  }, plan.timeoutMs);
  const end: Finish = (...result) => {
    clearTimeout(timeout);
    finish(...result);
  };
  call.on('socket', onSent);
  call.on('error', (error: NodeJS.ErrnoException) => end(0, '', error.code ?? error.message));
  call.on('response', (response) => {
    const status = response.statusCode ?? 0;
    const revision = String(response.headers['x-headgate-revision'] ?? '');
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => {
      if (status >= 400) chunks.push(chunk);
    });
    response.on('error', (error: NodeJS.ErrnoException) => end(0, revision, error.code ?? error.message));
    response.on('end', () => end(status, revision, describeProblem(response.headers, status, chunks)));
  });
  call.end(body);
}

function lengthOf(body: string): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
}

function describeProblem(headers: NodeJS.Dict<string | string[]>, status: number, chunks: Buffer[]): string {
  if (status < 400) return '';
  const envoy = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-envoy-') || name === 'server')
    .map(([name, value]) => `${name}=${String(value)}`);
  return [...envoy, Buffer.concat(chunks).toString('utf8').slice(0, 200)].join(' ');
}

function endWhenAnswered(): void {
  if (stopping && outstanding === 0) results.end(() => process.exit(0));
}
