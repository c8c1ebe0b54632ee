import { write } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Sink } from '../../outbox/outbox.ts';
import { toLine, type DecisionRecord } from '../record.ts';

const STDOUT = 1;
/** PIPE_BUF of Linux: what is no longer than this lands in a pipe in one piece, also beside the log's lines. */
const WHOLE_BYTES = 4096;
const FULL_PIPE_PAUSE_MS = 20;

const writeAsync = promisify(write);

async function writeAll(fileDescriptor: number, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    try {
      const { bytesWritten } = await writeAsync(fileDescriptor, bytes, written, bytes.length - written);
      written += bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await pause(FULL_PIPE_PAUSE_MS);
    }
  }
}

function packLines(lines: readonly string[]): Buffer[] {
  const packs: Buffer[] = [];
  let pack = '';
  let bytes = 0;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line);
    if (bytes > 0 && bytes + lineBytes > WHOLE_BYTES) {
      packs.push(Buffer.from(pack));
      pack = '';
      bytes = 0;
    }
    pack += line;
    bytes += lineBytes;
  }
  return [...packs, Buffer.from(pack)];
}

/**
 * Records as lines among the log's. Not through process.stdout: into a pipe it writes synchronously, so a reader that
 * has stopped would stop the server.
 */
export class StdoutSink implements Sink<DecisionRecord> {
  async write(records: readonly DecisionRecord[]): Promise<void> {
    for (const pack of packLines(records.map((record) => `${toLine(record)}\n`)))
      await writeAll(STDOUT, pack);
  }
}
