import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../../../runtime/records/record.ts';
import type { FileSinkSettings } from '../../../../runtime/records/settings.ts';
import { FileSink } from '../../../../runtime/records/sinks/file-sink.ts';

let directory: string;
const open: FileSink[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'headgate-records-'));
});
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close();
  rmSync(directory, { recursive: true });
});

function build(given: Partial<FileSinkSettings> = {}): FileSink {
  const folder = path.join(directory, 'records');
  const sink = new FileSink({
    kind: 'File',
    directory: folder,
    maxBytes: 1000,
    maxFiles: 3,
    maxAgeMs: undefined,
    ...given,
  });
  open.push(sink);
  return sink;
}

function record(requestId: string, inputs?: string): DecisionRecord {
  const facts = {
    type: 'feedback',
    time: '2026-01-02T03:04:05.006Z',
    requestId,
    modelName: 'tumour',
    modelVersion: '1',
    modelDigest: null,
    revision: 'tumour-1',
  } as const;
  return { facts, inputs, outputs: undefined };
}

/** Ids in each file, by the file's name. */
function idsByFile(): Record<string, string[]> {
  const folder = path.join(directory, 'records');
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const lines = readFileSync(path.join(folder, name), 'utf8').trim().split('\n');
      return [
        name,
        lines.filter(Boolean).map((line) => (JSON.parse(line) as { requestId: string }).requestId),
      ];
    }),
  );
}

function age(name: string, hours: number): void {
  const then = new Date(Date.now() - hours * 3_600_000);
  utimesSync(path.join(directory, 'records', name), then, then);
}

const HOUR_MS = 3_600_000;

describe('records in files', () => {
  it('are lines in order, in a file for nobody else to read', async () => {
    const sink = build();
    await sink.write([record('a'), record('b')]);
    await sink.write([record('c')]);
    expect(idsByFile()).toEqual({ 'records.jsonl': ['a', 'b', 'c'] });
  });

  it('go into the next file when one is full, and the oldest file goes when there are too many', async () => {
    const sink = build({ maxBytes: 400, maxFiles: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await sink.write([record(id)]);
    expect(idsByFile()).toEqual({
      'records-00000002.jsonl': ['c', 'd'],
      'records-00000003.jsonl': ['e', 'f'],
      'records.jsonl': ['g', 'h'],
    });
  });

  it('are appended to what an earlier process has written', async () => {
    await build({ maxBytes: 400 }).write([record('a')]);
    const next = build({ maxBytes: 400 });
    await next.write([record('b')]);
    await next.write([record('c')]);
    expect(idsByFile()).toEqual({ 'records-00000001.jsonl': ['a', 'b'], 'records.jsonl': ['c'] });
  });

  it('are gone when they are older than the maximum, whichever file they lie in', async () => {
    const sink = build({ maxBytes: 150, maxAgeMs: 12 * HOUR_MS });
    for (const id of ['old', 'younger', 'present']) await sink.write([record(id)]);
    age('records-00000001.jsonl', 9);
    age('records-00000002.jsonl', 7);
    await sink.sweep(Date.now());
    expect(Object.values(idsByFile())).toEqual([['younger'], ['present']]);
    await sink.sweep(Date.now() + 5 * HOUR_MS);
    expect(Object.values(idsByFile())).toEqual([['present']]);
    await sink.sweep(Date.now() + 12 * HOUR_MS);
    expect(Object.values(idsByFile())).toEqual([]);
  });

  it('are erased by the id of their request out of all files, and no others', async () => {
    const sink = build({ maxBytes: 400, maxFiles: 9 });
    const tricky = 'say "requestId":"b" \\ twice';
    for (const id of ['a', 'b', tricky, 'b', 'c']) await sink.write([record(id)]);
    await sink.write([record('d', JSON.stringify([{ requestId: 'b' }]))]);
    expect(await sink.erase(new Set(['b', 'never seen']))).toBe(2);
    expect(Object.values(idsByFile()).flat()).toEqual(['a', tricky, 'c', 'd']);
    expect(await sink.erase(new Set([tricky]))).toBe(1);
    expect(Object.values(idsByFile()).flat()).toEqual(['a', 'c', 'd']);
  });

  it('that arrive during an erasure are kept', async () => {
    const sink = build({ maxBytes: 1_000_000 });
    await sink.write(Array.from({ length: 500 }, (_, number) => record(`r${number}`)));
    const writes = ['x', 'y', 'z'].map((id) => sink.write([record(id)]));
    const erased = sink.erase(new Set(['r250']));
    const later = sink.write([record('later')]);
    await Promise.all([...writes, later]);
    expect(await erased).toBe(1);
    const ids = Object.values(idsByFile()).flat();
    expect(ids).toHaveLength(503);
    expect(ids.slice(-4)).toEqual(['x', 'y', 'z', 'later']);
  });

  it('reject when the folder cannot be written to', async () => {
    const file = path.join(directory, 'no-folder');
    writeFileSync(file, '');
    await expect(build({ directory: file }).write([record('a')])).rejects.toThrow(/EEXIST|ENOTDIR/u);
  });
});
