import { createHash, type Hash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { StartFailure } from '../errors.ts';
import { youngMemory } from '../memory/young.ts';
import { asTransient, type Answer, type Headers, type HttpClient } from './http/client.ts';
import { ask } from './http/follow.ts';
import { failDownload, persist, TransientError } from './persist.ts';
import type { RemoteFile } from './remote-file.ts';

export function checkSize(name: string, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new StartFailure(
    'ModelTooLarge',
    `${name} is larger than ${maxBytes} bytes; where that is meant, raise spec.model.maxSize`,
  );
}

/** One file on its way: what of it is on disk, and what the next request has to ask for. */
class Transfer {
  readonly #file: RemoteFile;
  readonly #handle: FileHandle;
  readonly #maxBytes: number;
  #hash: Hash = createHash('sha256');
  #bytes = 0;
  /** The ETag of the version whose beginning is on disk. */
  #version: string | undefined;

  constructor(file: RemoteFile, handle: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#handle = handle;
    this.#maxBytes = maxBytes;
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Without a version, or a digest to be held to, two parts may be of two files: it has to begin anew. */
  async headers(): Promise<Headers> {
    const isSame = this.#version !== undefined || this.#file.sha256 !== undefined;
    if (!isSame) await this.#beginAnew();
    return {
      'accept-encoding': 'identity',
      'user-agent': 'headgate',
      ...(this.#bytes > 0 && { range: `bytes=${this.#bytes}-` }),
      ...(this.#bytes > 0 && this.#version !== undefined && { 'if-range': this.#version }),
    };
  }

  async receive(answer: Answer, noteProgress: () => void): Promise<void> {
    const announced = await this.#expect(answer);
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        checkSize(this.#file.name, this.#bytes + chunk.length, this.#maxBytes);
        await this.#append(chunk);
        noteProgress();
      }
    } catch (error) {
      throw isOfDisk(error) || error instanceof StartFailure ? error : asTransient(error);
    }
    if (announced !== undefined && this.#bytes < announced) {
      throw new TransientError(`the connection ended after ${this.#bytes} of ${announced} bytes`);
    }
  }

  /** Checks that an answer goes on where the disk ends; returns the size of the whole file, where it is announced. */
  async #expect({ status, headers, body }: Answer): Promise<number | undefined> {
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      body.destroy();
      failDownload(this.#file.name, `it is stored with the content encoding ${encoding}; store it without`);
    }
    const version = strongTag(headers.etag);
    if (!this.#goesOn(status, headers['content-range'], version)) {
      await this.#beginAnew();
      if (status !== 200) {
        body.destroy();
        throw new TransientError('the file changed while it was downloaded');
      }
    }
    this.#version = version ?? this.#version;
    const length = headers['content-length'];
    const announced = length === undefined ? undefined : this.#bytes + Number(length);
    try {
      checkSize(this.#file.name, announced ?? 0, this.#maxBytes);
    } catch (error) {
      body.destroy();
      throw error;
    }
    return announced;
  }

  /** Some servers ignore If-Range: a part of another version is no part of this one. */
  #goesOn(status: number, contentRange: string | undefined, version: string | undefined): boolean {
    const isSame = version === undefined || this.#version === undefined || version === this.#version;
    return status === 206 && isSame && contentRange?.startsWith(`bytes ${this.#bytes}-`) === true;
  }

  async #beginAnew(): Promise<void> {
    if (this.#bytes > 0) await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
    this.#version = undefined;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length;) {
      const position = this.#bytes + written;
      const rest = chunk.length - written;
      written += (await this.#handle.write(chunk, written, rest, position)).bytesWritten;
    }
    this.#hash.update(chunk);
    // Else the server grows by what comes until V8 collects in full, and stays so large.
    youngMemory.take(chunk.length);
    this.#bytes += chunk.length;
  }
}

function strongTag(tag: string | undefined): string | undefined {
  return tag?.startsWith('"') === true ? tag : undefined;
}

/** A full disk is not mended by asking again. */
function isOfDisk(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'write' || syscall === 'ftruncate';
}

interface Destination {
  readonly path: string;
  readonly maxBytes: number;
}

/** Brings a file to a path, where it appears whole or not at all; returns its SHA-256 digest, taken on the way. */
export async function download(
  client: HttpClient,
  file: RemoteFile,
  { path, maxBytes }: Destination,
): Promise<string> {
  const partialPath = `${path}.partial`;
  const handle = await open(partialPath, 'w').catch((error: unknown) =>
    failDownload(file.name, `${partialPath} cannot be written (${(error as Error).message})`, error),
  );
  try {
    const transfer = new Transfer(file, handle, maxBytes);
    await persist(file.name, async (noteProgress) => {
      await transfer.receive(await ask(client, file, await transfer.headers()), noteProgress);
    });
    checkPromise(file, transfer.digest);
    await handle.sync();
    await rename(partialPath, path);
    return transfer.digest;
  } catch (error) {
    await rm(partialPath, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

function checkPromise({ name, sha256 }: RemoteFile, digest: string): void {
  if (sha256 === undefined || sha256 === digest) return;
  throw new StartFailure(
    'ModelDigestMismatch',
    `the sha256 of ${name} is ${digest}, its address says ${sha256}; the server holds another file than it should`,
  );
}
