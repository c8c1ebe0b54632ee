import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { environment } from '../config/config.ts';
import { Deferred } from '../deferred.ts';
import { StartFailure } from '../errors.ts';
import { youngMemory } from '../memory/young.ts';
import type { InferWork } from '../tensor/validate.ts';
import { ExecutorLostError, InvalidInputError, ModelRunError, type RunResult } from './executor.ts';
import { encodeFrame, FrameDecoder, type Frame } from './frame.ts';
import {
  decodeJson,
  decodeResult,
  type FailedMessage,
  type LoadMessage,
  type ReadyMessage,
  type RunFailedMessage,
  writeJson,
  writeWork,
} from './messages.ts';
import { silence } from './silence.ts';

export interface ExecutorProcessOptions {
  readonly load: LoadMessage;
  /** A process that is not ready so long after its start is killed. */
  readonly loadTimeoutMs: number;
  /** A run without an answer for so long is taken for hung, and the process is killed. */
  readonly runTimeoutMs: number;
  /** A line that ONNX Runtime, or the model, wrote by itself. */
  readonly onOutput: (line: string) => void;
}

/** Called before the requests in flight learn of the end, so that nothing new is sent to a dead process. */
export type EndListener = (process: ExecutorProcess, how: string) => void;

/** The same extension as this module: .ts in development and tests, .js in the image. */
const childPath = fileURLToPath(import.meta.url).replace('executor-process', 'child');
/** The process runs a model and little else, and what V8's workers take is taken from the model where cores are few. */
const ONE_WORKER = '--v8-pool-size=1';
const CLOSE_GRACE_MS = 2000;
const WATCHDOG_PERIOD_MS = 1000;

/** One life of the child process that runs the model. */
export class ExecutorProcess {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #pending = new Map<number, Deferred<RunResult>>();
  readonly #ready = new Deferred<ReadyMessage>();
  readonly #ended = new Deferred<undefined>();
  readonly #onEnd: EndListener;
  readonly #watchdog: NodeJS.Timeout;
  readonly #loadTimer: NodeJS.Timeout;
  readonly #loadTimeoutMs: number;
  #outbox: Buffer[] = [];
  #lastRequest = 0;
  #lastProgressAt = 0;
  #hasLoaded = false;
  #isHung = false;
  #isLate = false;

  constructor(options: ExecutorProcessOptions, onEnd: EndListener) {
    this.#onEnd = onEnd;
    // Whoever never asks for it has no use for its failure either.
    this.#ready.promise.catch(() => undefined);
    this.#child = spawn(process.execPath, [ONE_WORKER, childPath], {
      env: { ...environment, ...silence },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output !== null) createInterface({ input: output }).on('line', options.onOutput);
    }
    this.#socket = this.#child.stdio[3] as Duplex;
    const decoder = new FrameDecoder();
    this.#socket.on('data', (chunk: Buffer) => {
      youngMemory.take(chunk.length);
      for (const frame of decoder.push(chunk)) this.#receive(frame);
    });
    // A broken socket is the end of the process too, and that is what is acted upon.
    this.#socket.on('error', () => this.#child.kill('SIGKILL'));
    this.#child.once('error', (error) => this.#end(`could not start: ${error.message}`));
    this.#child.once('exit', (code, signal) => this.#end(this.#describeExit(code, signal)));
    this.#watchdog = setInterval(() => this.#killWhenHung(options.runTimeoutMs), WATCHDOG_PERIOD_MS).unref();
    this.#loadTimeoutMs = options.loadTimeoutMs;
    this.#loadTimer = setTimeout(() => this.#killLate(), options.loadTimeoutMs).unref();
    this.#send(encodeFrame('load', 0, (payload) => writeJson(payload, options.load)));
  }

  /** Rejects with StartFailure when the model cannot be loaded or warmed. */
  get ready(): Promise<ReadyMessage> {
    return this.#ready.promise;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  run(works: readonly InferWork[]): Promise<RunResult> {
    const answer = new Deferred<RunResult>();
    this.#lastRequest = (this.#lastRequest + 1) >>> 0;
    if (this.#pending.size === 0) this.#lastProgressAt = performance.now();
    this.#pending.set(this.#lastRequest, answer);
    this.#send(encodeFrame('run', this.#lastRequest, (payload) => writeWork(payload, works)));
    return answer.promise;
  }

  /** Pre: nothing is in flight. */
  async close(): Promise<void> {
    this.#socket.end();
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_GRACE_MS);
    await this.#ended.promise;
    clearTimeout(deadline);
  }

  /** Frames that are sent together leave in one system call. */
  #send(frame: readonly Buffer[]): void {
    const isDue = this.#outbox.length > 0;
    this.#outbox.push(...frame);
    if (isDue) return;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const pieces = this.#outbox;
    this.#outbox = [];
    // A stream that holds back takes a longer way, which most frames, of one piece, have no need of.
    const areSeveral = pieces.length > 1;
    if (areSeveral) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (areSeveral) this.#socket.uncork();
  }

  #receive(frame: Frame): void {
    this.#lastProgressAt = performance.now();
    switch (frame.kind) {
      case 'loaded':
        this.#hasLoaded = true;
        return;
      case 'ready':
        clearTimeout(this.#loadTimer);
        this.#ready.resolve(decodeJson(frame.payload) as ReadyMessage);
        return;
      case 'failed':
        this.#failStart(decodeJson(frame.payload) as FailedMessage);
        return;
      case 'result':
        this.#take(frame.request)?.resolve(decodeResult(frame.payload));
        return;
      case 'runFailed':
        this.#take(frame.request)?.reject(toRunError(decodeJson(frame.payload) as RunFailedMessage));
        return;
      case 'load':
      case 'run':
        throw new Error(`the executor sent a '${frame.kind}' frame`);
    }
  }

  #take(request: number): Deferred<RunResult> | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #failStart({ reason, message: cause }: FailedMessage): void {
    const message = cause.replace(/[.\s]+$/u, '');
    const sentences = {
      ModelInvalid: `ONNX Runtime cannot load the model: ${message}. Check that the file is a complete ONNX model`,
      ModelWarmUpFailed: `the model loads but fails on a warm-up request of zeros: ${message}. Run it on zeros locally to see why`,
      ExecutionProviderMissing: `none of the execution providers can be used here: ${message}. Use an image that has them, or add cpu as the last of spec.runtime.session.executionProviders`,
    } as const satisfies Record<FailedMessage['reason'], string>;
    this.#ready.reject(new StartFailure(reason, sentences[reason]));
  }

  #end(how: string): void {
    clearInterval(this.#watchdog);
    clearTimeout(this.#loadTimer);
    this.#onEnd(this, how);
    this.#ready.reject(this.#isLate ? this.#describeLateness() : this.#describeEarlyEnd(how));
    for (const { reject } of this.#pending.values()) reject(new ExecutorLostError(how));
    this.#pending.clear();
    this.#ended.resolve(undefined);
  }

  #describeEarlyEnd(how: string): StartFailure {
    const reason = this.#hasLoaded ? 'ModelWarmUpFailed' : 'ModelInvalid';
    return new StartFailure(reason, `the process that runs the model ${how} before the model was ready`);
  }

  #describeLateness(): StartFailure {
    const doing = this.#hasLoaded ? 'was still being tried on zeros' : 'was still being loaded';
    return new StartFailure(
      'ModelLoadTimedOut',
      `the model ${doing} ${this.#loadTimeoutMs / 1000} s after its process was started, which was killed. Load it on your own machine: if that ends, raise spec.runtime.executors.loadTimeout or the CPUs of the pod, or export the model with its graph optimised; if it does not, the model has no end`,
    );
  }

  #describeExit(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#isLate) return 'was killed because the model was not ready in time';
    if (this.#isHung) return 'was killed because a request ran past the time limit';
    if (signal === 'SIGKILL') return 'was killed (SIGKILL; most often for memory: raise the memory limit)';
    return signal === null ? `ended with exit code ${code ?? 'unknown'}` : `crashed (${signal})`;
  }

  #killLate(): void {
    this.#isLate = true;
    this.#child.kill('SIGKILL');
  }

  #killWhenHung(runTimeoutMs: number): void {
    if (this.#pending.size === 0 || performance.now() - this.#lastProgressAt < runTimeoutMs) return;
    this.#isHung = true;
    this.#child.kill('SIGKILL');
  }
}

function toRunError({ cause, message }: RunFailedMessage): Error {
  return cause === 'invalidInput' ? new InvalidInputError(message) : new ModelRunError(message);
}
