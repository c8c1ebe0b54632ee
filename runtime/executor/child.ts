import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import os from 'node:os';
import { MemoryBlocks } from '../memory/blocks.ts';
import { encodeFrame, FrameDecoder, type Frame, type FrameKind } from './frame.ts';
import {
  decodeJson,
  decodeWork,
  encodeJson,
  encodeResult,
  type FailedMessage,
  type LoadMessage,
} from './messages.ts';
import { ProviderMissingError, wordsOfProvider } from './execution-providers.ts';
import { OnnxModel } from './onnx-model.ts';
import { prepareModel, type PreparedModel } from './prepared-model.ts';

/**
 * The executor's process: loads one model, warms it and runs what arrives, one request after the other. It reads no
 * configuration, listens on nothing and ends with the socket to the serving process.
 */

const STANDARD_ERROR = 2;
const SOCKET_DESCRIPTOR = 3;
/** Answers of cheap models leave together, but none waits longer than this for another. */
const LONGEST_HOLD_MS = 1;
/** For what batches cost; a pod that starts has better to do. */
const MEASURING_MS = 300;
/** Lower than the serving process: probes and sheds keep their pace while a model burns every core. */
const EXECUTOR_NICENESS = 5;
/** ONNX Runtime's own check of the inputs against the graph, made before the model runs. */
const INVALID_INPUT = /Invalid rank for input|Got invalid dimensions for input/u;

/** As much as a socket holds at most, with the kernel's defaults. */
const READ_BYTES = 262_144;

interface Running extends PreparedModel {
  readonly loaded: OnnxModel;
}

const blocks = new MemoryBlocks();
const decoder = new FrameDecoder(blocks);
const scratch = Buffer.allocUnsafeSlow(READ_BYTES);
const socket = new Socket({
  ...{ fd: SOCKET_DESCRIPTOR, readable: true, writable: true },
  // Large frames are read to where they are used, and for what is small there is no new memory for each read.
  onread: { buffer: () => decoder.room ?? scratch, callback: take },
});
const waiting: Frame[] = [];
let running: Running | undefined;
let isRunning = false;

function send(kind: FrameKind, request: number, payload: readonly Buffer[]): void {
  // Several pieces of one frame leave in one system call, as several frames do.
  socket.cork();
  for (const piece of encodeFrame(kind, request, payload)) socket.write(piece);
  socket.uncork();
}

function fail(reason: FailedMessage['reason'], error: unknown): void {
  send('failed', 0, encodeJson({ reason, message: (error as Error).message }));
}

async function load(message: LoadMessage): Promise<void> {
  let loaded: OnnxModel;
  try {
    loaded = await OnnxModel.load(message);
  } catch (error) {
    fail(error instanceof ProviderMissingError ? 'ExecutionProviderMissing' : 'ModelInvalid', error);
    return;
  }
  send('loaded', 0, []);
  let prepared: PreparedModel;
  try {
    await loaded.warmUp();
    prepared = await prepare(loaded, message);
  } catch (error) {
    fail('ModelWarmUpFailed', error);
    return;
  }
  running = { ...prepared, loaded };
  const { provider, passedOver, signature } = loaded;
  send('ready', 0, encodeJson({ provider, passedOver, signature, batchProfile: prepared.batchProfile }));
}

function prepare(loaded: OnnxModel, message: LoadMessage): Promise<PreparedModel> {
  const isOnDevice = loaded.provider !== 'cpu';
  const measuring = { maxRows: message.maxBatchRows, measuringMs: MEASURING_MS, isOnDevice };
  return prepareModel(loaded, measuring, () => OnnxModel.open(loaded.provider, message));
}

/**
 * An error that the GPU raised amid a run can leave this process without it for good: every run after it fails. Then
 * the process ends, as for a crash, and the next one begins anew.
 * https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html ("the process must be terminated and relaunched")
 */
async function endIfDeviceIsLost({ loaded }: Running, message: string): Promise<void> {
  if (loaded.provider === 'cpu' || wordsOfProvider(message) === undefined) return;
  try {
    await loaded.warmUp();
  } catch {
    writeSync(
      STANDARD_ERROR,
      `${loaded.provider} runs nothing any more since a run that failed: ${message}\n`,
    );
    process.exit(1);
  }
}

async function runOne(current: Running, frame: Frame): Promise<void> {
  try {
    const work = decodeWork(frame.payload);
    if (current.prepareFor !== undefined) await current.prepareFor(work);
    const startedAtMs = performance.now();
    const outputs = await current.model.run(work);
    const computeMs = performance.now() - startedAtMs;
    if (frame.block !== undefined) blocks.giveBack(frame.block);
    send('result', frame.request, encodeResult({ computeMs, outputs }));
  } catch (error) {
    const { message } = error as Error;
    const cause = INVALID_INPUT.test(message) ? 'invalidInput' : 'model';
    if (cause === 'model') await endIfDeviceIsLost(current, message);
    send('runFailed', frame.request, encodeJson({ cause, message }));
  }
}

async function runWaiting(current: Running): Promise<void> {
  isRunning = true;
  socket.cork();
  let heldSince = performance.now();
  for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
    await runOne(current, frame);
    if (performance.now() - heldSince < LONGEST_HOLD_MS) continue;
    socket.uncork();
    socket.cork();
    heldSince = performance.now();
  }
  socket.uncork();
  isRunning = false;
}

function take(length: number): boolean {
  // A frame may wait while the next bytes are read.
  const frames =
    decoder.room === undefined
      ? decoder.push(Buffer.from(scratch.subarray(0, length)))
      : decoder.fillRoom(length);
  for (const frame of frames) receive(frame);
  if (running !== undefined && !isRunning) void runWaiting(running);
  return true;
}

function receive(frame: Frame): void {
  if (frame.kind === 'load') {
    void load(decodeJson(frame.payload) as LoadMessage);
    return;
  }
  waiting.push(frame);
}

socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(0));
// The serving process drains first and closes the socket when nothing is in flight; a signal to the group is not ours.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
os.setPriority(EXECUTOR_NICENESS);
