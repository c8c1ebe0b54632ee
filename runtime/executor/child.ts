import { writeSync } from 'node:fs';
import os from 'node:os';
import { BlockingSocket } from './blocking-socket.ts';
import { encodeFrame, type Frame, type FrameKind } from './frame.ts';
import {
  decodeJson,
  decodeWork,
  type FailedMessage,
  type LoadMessage,
  writeJson,
  writeResult,
} from './messages.ts';
import { ProviderMissingError, wordsOfProvider } from './execution-providers.ts';
import { OnnxModel } from './onnx-model.ts';
import type { PieceWriter } from './piece-writer.ts';
import { prepareModel, type PreparedModel } from './prepared-model.ts';

/**
 * The executor's process: loads one model, warms it and runs what arrives, one request after the other. It reads no
 * configuration, listens on nothing and ends with the socket to the serving process.
 */

const STANDARD_ERROR = 2;
const SOCKET_DESCRIPTOR = 3;
/** For what batches cost; a pod that starts has better to do. */
const MEASURING_MS = 300;
/** Lower than the serving process: probes and sheds keep their pace while a model burns every core. */
const EXECUTOR_NICENESS = 5;
/** ONNX Runtime's own check of the inputs against the graph, made before the model runs. */
const INVALID_INPUT = /Invalid rank for input|Got invalid dimensions for input/u;

interface Running extends PreparedModel {
  readonly loaded: OnnxModel;
}

const socket = new BlockingSocket(SOCKET_DESCRIPTOR);
let running: Running | undefined;

type WritePayload = (payload: PieceWriter) => void;

function send(kind: FrameKind, writePayload: WritePayload): void {
  socket.hold(encodeFrame(kind, 0, writePayload));
  socket.flush();
}

function answer(kind: FrameKind, request: number, writePayload: WritePayload): void {
  socket.hold(encodeFrame(kind, request, writePayload));
  socket.flushWhenOld();
}

function fail(reason: FailedMessage['reason'], error: unknown): void {
  send('failed', (payload) => writeJson(payload, { reason, message: (error as Error).message }));
}

async function load(message: LoadMessage): Promise<void> {
  let loaded: OnnxModel;
  try {
    loaded = await OnnxModel.load(message);
  } catch (error) {
    fail(error instanceof ProviderMissingError ? 'ExecutionProviderMissing' : 'ModelInvalid', error);
    return;
  }
  send('loaded', () => undefined);
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
  const { batchProfile } = prepared;
  send('ready', (payload) => writeJson(payload, { provider, passedOver, signature, batchProfile }));
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
    socket.release(frame);
    answer('result', frame.request, (payload) => writeResult(payload, { computeMs, outputs }));
  } catch (error) {
    const { message } = error as Error;
    const cause = INVALID_INPUT.test(message) ? 'invalidInput' : 'model';
    if (cause === 'model') await endIfDeviceIsLost(current, message);
    answer('runFailed', frame.request, (payload) => writeJson(payload, { cause, message }));
  }
}

async function serve(): Promise<void> {
  for (let frames = socket.read(); frames !== undefined; frames = socket.read()) {
    for (const frame of frames) {
      if (frame.kind === 'load') {
        await load(decodeJson(frame.payload) as LoadMessage);
        continue;
      }
      if (running === undefined) throw new Error(`a '${frame.kind}' frame came before a model was ready`);
      await runOne(running, frame);
    }
  }
}

// The serving process drains first and closes the socket when nothing is in flight; a signal to the group is not ours.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
os.setPriority(EXECUTOR_NICENESS);
await serve();
process.exit(0);
