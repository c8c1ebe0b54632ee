import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { StartFailure } from '../errors.ts';
import { displayUri } from './display-uri.ts';
import type { LocalModel, ModelSource } from './model-source.ts';

const RETRY_DELAYS_MS = [500, 1000, 2000, 4000];
/** Until the headers are there, and between any two pieces of the body. */
const SILENCE_LIMIT_MS = 30_000;
const TRANSIENT_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);
const NOT_FOUND_STATUSES = new Set([404, 410]);

/** Worth another try: the next answer may be a better one. */
class TransientError extends Error {}

type Target = Pick<ModelSource, 'maxBytes' | 'downloadDirectory'>;

function failDownload(url: URL, problem: string, cause?: unknown): never {
  throw new StartFailure('ModelDownloadFailed', `downloading ${displayUri(url.href)} failed: ${problem}`, {
    cause,
  });
}

function checkStatus(url: URL, response: Response): void {
  if (response.ok) return;
  const { status } = response;
  if (TRANSIENT_STATUSES.has(status)) throw new TransientError(`the server answered ${status}`);
  if (NOT_FOUND_STATUSES.has(status)) {
    throw new StartFailure(
      'ModelNotFound',
      `${displayUri(url.href)} does not exist (${status}); check the model's uri`,
    );
  }
  failDownload(
    url,
    `the server answered ${status}; check that the model may be read without further credentials`,
  );
}

function checkSize(url: URL, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  failDownload(
    url,
    `it is larger than ${maxBytes} bytes; where that is meant, a runtime image of your own sets HEADGATE_MODEL_MAX_BYTES`,
  );
}

/** A timeout that starts anew with every sign of life. */
class SilenceGuard {
  readonly #controller = new AbortController();
  readonly #timer = setTimeout(
    () => this.#controller.abort(new TransientError(`nothing arrived for ${SILENCE_LIMIT_MS / 1000} s`)),
    SILENCE_LIMIT_MS,
  );

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  noticeLife(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Network failures are transient; failures of the local disk are not. */
async function* readBody(response: Response, guard: SilenceGuard): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const piece = await reader.read().catch((error: unknown) => throwTransient(error));
    if (piece.done) return;
    guard.noticeLife();
    yield piece.value as Uint8Array;
  }
}

function throwTransient(error: unknown): never {
  if (error instanceof TransientError) throw error;
  const { message, cause } = error as Error;
  const detail = cause instanceof Error ? `: ${cause.message}` : '';
  throw new TransientError(`${message}${detail}`, { cause: error });
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await file.write(chunk, written)).bytesWritten;
  }
}

async function attempt(url: URL, partialPath: string, target: Target): Promise<string> {
  const guard = new SilenceGuard();
  const file = await open(partialPath, 'w').catch((error: unknown) =>
    failDownload(url, `${target.downloadDirectory} cannot be written (${(error as Error).message})`, error),
  );
  try {
    const response = await fetch(url, { signal: guard.signal }).catch((error: unknown) =>
      throwTransient(error),
    );
    checkStatus(url, response);
    checkSize(url, Number(response.headers.get('content-length') ?? 0), target.maxBytes);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of readBody(response, guard)) {
      bytes += chunk.length;
      checkSize(url, bytes, target.maxBytes);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    return hash.digest('hex');
  } finally {
    guard.stop();
    await file.close();
  }
}

async function attemptUntilDone(url: URL, partialPath: string, target: Target): Promise<string> {
  for (const delayMs of [...RETRY_DELAYS_MS, undefined]) {
    try {
      return await attempt(url, partialPath, target);
    } catch (error) {
      if (error instanceof StartFailure) throw error;
      const { message } = error as Error;
      if (!(error instanceof TransientError)) failDownload(url, message, error);
      if (delayMs === undefined) {
        failDownload(
          url,
          `${message} (${RETRY_DELAYS_MS.length + 1} tries); check the address and that the pod may reach it`,
          error,
        );
      }
      await wait(delayMs);
    }
  }
  throw new Error('unreachable: the last try either returns or throws');
}

/** Streams the model into a file; its digest is taken on the way, so nothing is read twice. */
export async function downloadModel(url: URL, target: Target): Promise<LocalModel> {
  const modelPath = path.join(target.downloadDirectory, 'model.onnx');
  const partialPath = `${modelPath}.partial`;
  try {
    const digest = await attemptUntilDone(url, partialPath, target);
    await rename(partialPath, modelPath);
    return { path: modelPath, digest };
  } catch (error) {
    await rm(partialPath, { force: true });
    throw error;
  }
}
