import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../../../runtime/records/record.ts';
import type { FileSinkSettings } from '../../../../runtime/records/settings.ts';
import { FileSink, type Erasure } from '../../../../runtime/records/sinks/file-sink.ts';

const HOUR_MS = 3_600_000;

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
    pod: undefined,
    maxBytes: 1000,
    maxFiles: 3,
    maxAgeMs: undefined,
    ...given,
  });
  open.push(sink);
  return sink;
}

function record(requestId: string, inputs?: string, hoursAgo = 0): DecisionRecord {
  const facts = {
    type: 'feedback',
    time: new Date(Date.now() - hoursAgo * HOUR_MS).toISOString(),
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
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted();
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
  const then = new Date(Date.now() - hours * HOUR_MS);
  utimesSync(path.join(directory, 'records', name), then, then);
}

function erase(sink: FileSink, ...requestIds: string[]): Promise<Erasure> {
  return sink.erase(new Set(requestIds), Date.now());
}

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
    expect((await erase(sink, 'b', 'never seen')).erased).toBe(2);
    expect(Object.values(idsByFile()).flat()).toEqual(['a', tricky, 'c', 'd']);
    expect((await erase(sink, tricky)).erased).toBe(1);
    expect(Object.values(idsByFile()).flat()).toEqual(['a', 'c', 'd']);
  });

  it('are as old after an erasure of others as before', async () => {
    const sink = build({ maxBytes: 400, maxAgeMs: 12 * HOUR_MS });
    for (const id of ['old', 'forget', 'present']) await sink.write([record(id)]);
    age('records-00000001.jsonl', 13);
    expect((await erase(sink, 'forget')).erased).toBe(1);
    await sink.sweep(Date.now());
    expect(Object.values(idsByFile()).flat()).toEqual(['present']);
  });

  it('are closed by the age of their first, whatever the file system says of the file', async () => {
    const sink = build({ maxAgeMs: 12 * HOUR_MS });
    await sink.write([record('a', undefined, 3)]);
    await sink.sweep(Date.now());
    await sink.write([record('b')]);
    await sink.sweep(Date.now() + 2 * HOUR_MS);
    await sink.write([record('c')]);
    expect(idsByFile()).toEqual({ 'records-00000001.jsonl': ['a', 'b'], 'records.jsonl': ['c'] });
  });

  it('that an interrupted erasure has left beside a file are gone after the next sweep', async () => {
    const sink = build();
    await sink.write([record('a')]);
    writeFileSync(path.join(directory, 'records', 'records.jsonl.rest'), 'half');
    await sink.sweep(Date.now());
    expect(readdirSync(path.join(directory, 'records'))).toEqual(['records.jsonl']);
  });

  it('that arrive during an erasure are kept', async () => {
    const sink = build({ maxBytes: 1_000_000 });
    await sink.write(Array.from({ length: 500 }, (_, number) => record(`r${number}`)));
    const writes = ['x', 'y', 'z'].map((id) => sink.write([record(id)]));
    const erasure = erase(sink, 'r250');
    const later = sink.write([record('later')]);
    await Promise.all([...writes, later]);
    expect((await erasure).erased).toBe(1);
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

/** As a pod that has not touched its folder for so long leaves it. */
function abandon(pod: string, minutes = 11): void {
  const then = new Date(Date.now() - minutes * 60_000);
  utimesSync(path.join(directory, 'records', pod), then, then);
}

describe('records of several pods on one volume', () => {
  const pod = (name: string, given: Partial<FileSinkSettings> = {}): FileSink =>
    build({ pod: name, maxAgeMs: 12 * HOUR_MS, ...given });

  it('are in a folder of each', async () => {
    await pod('fraud-a').write([record('a')]);
    await pod('fraud-b').write([record('b')]);
    expect(idsByFile()).toEqual({ 'fraud-a/records.jsonl': ['a'], 'fraud-b/records.jsonl': ['b'] });
  });

  it('are erased by each pod from its own folder, which tells who has others', async () => {
    const [first, second] = [pod('fraud-a'), pod('fraud-b')];
    await first.write([record('a'), record('forget')]);
    await second.write([record('b'), record('forget')]);
    expect(await erase(first, 'forget')).toEqual({ erased: 1, otherPods: ['fraud-b'] });
    // An erasure in its folder would leave the other pod with a file that nobody finds.
    await second.write([record('c')]);
    expect(await erase(second, 'forget')).toEqual({ erased: 1, otherPods: ['fraud-a'] });
    expect(idsByFile()).toEqual({ 'fraud-a/records.jsonl': ['a'], 'fraud-b/records.jsonl': ['b', 'c'] });
  });

  it('are erased for a pod that is gone by the first that is asked, and by one alone', async () => {
    await pod('gone').write([record('x'), record('forget')]);
    const heirs = ['fraud-a', 'fraud-b', 'fraud-c'].map((name) => pod(name));
    for (const heir of heirs) await heir.write([record('own')]);
    abandon('gone');
    const erasures = await Promise.all(heirs.map((heir) => erase(heir, 'forget')));
    expect(erasures.map(({ erased }) => erased).toSorted()).toEqual([0, 0, 1]);
    const ids = Object.values(idsByFile()).flat();
    expect(ids.toSorted()).toEqual(['own', 'own', 'own', 'x']);
  });

  it('are erased once more when the heir is gone too', async () => {
    await pod('gone').write([record('x'), record('forget')]);
    abandon('gone');
    const heir = pod('heir');
    await erase(heir, 'nothing of it');
    const [adopted = ''] = readdirSync(path.join(directory, 'records')).filter((name) => name.includes('+'));
    expect(adopted).toMatch(/^heir\+gone\+\d+$/u);
    expect(await erase(pod('fraud-a'), 'forget')).toEqual({ erased: 0, otherPods: ['heir'] });
    abandon(adopted);
    expect(await erase(pod('fraud-a'), 'forget')).toEqual({ erased: 1, otherPods: [] });
  });

  it('belong to a pod that lives, however long it had nothing to write', async () => {
    const quiet = pod('quiet');
    await quiet.write([record('a'), record('forget')]);
    abandon('quiet', 600);
    await quiet.sweep(Date.now());
    expect(await erase(pod('fraud-b'), 'forget')).toEqual({ erased: 0, otherPods: ['quiet'] });
  });

  it('begin anew where a pod that stood still was taken for gone', async () => {
    const still = pod('still');
    await still.write([record('before')]);
    abandon('still');
    await erase(pod('fraud-b'), 'nothing');
    await still.sweep(Date.now());
    await still.write([record('after')]);
    expect(idsByFile()).toMatchObject({ 'still/records.jsonl': ['after'] });
    expect(Object.values(idsByFile()).flat().toSorted()).toEqual(['after', 'before']);
  });

  it('of pods that are gone end by their age, and those of pods that live are left to them', async () => {
    await pod('gone').write([record('gone')]);
    await pod('slow').write([record('slow')]);
    const own = pod('fraud-a');
    await own.write([record('own')]);
    for (const name of ['gone/records.jsonl', 'slow/records.jsonl']) age(name, 13);
    abandon('gone', 13 * 60);
    await own.sweep(Date.now());
    expect(Object.values(idsByFile()).flat()).toEqual(['own', 'slow']);
    expect(readdirSync(path.join(directory, 'records'))).toEqual(['fraud-a', 'slow']);
  });

  it('of a pod that is gone stay for as long as any are kept', async () => {
    await pod('gone').write([record('gone')]);
    abandon('gone', 11 * 60);
    await pod('fraud-a').sweep(Date.now());
    expect(idsByFile()).toEqual({ 'gone/records.jsonl': ['gone'] });
  });
});
