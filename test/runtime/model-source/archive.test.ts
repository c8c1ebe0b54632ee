import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractModel } from '../../../runtime/model-source/archive.ts';
import type { LocalModel } from '../../../runtime/model-source/model-source.ts';
import { failureOf } from './source.ts';

const model = Buffer.from('an ONNX file, as far as an archive knows'.repeat(1000));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, body: Uint8Array | string = model): TarEntry {
  return { header: { name, size: Buffer.byteLength(body), type: 'file' }, body };
}

function special(name: string, type: NonNullable<TarEntry['header']['type']>, linkname = ''): TarEntry {
  return { header: { name, size: 0, type, linkname } };
}

async function tar(...entries: TarEntry[]): Promise<Buffer> {
  return Buffer.from(await packTar(entries));
}

function extract(archive: Uint8Array, maxBytes = 1_000_000): Promise<LocalModel> {
  const archivePath = path.join(folder, 'archive');
  writeFileSync(archivePath, archive);
  return extractModel(
    { name: 's3://models/fraud.tar', path: archivePath, maxBytes },
    path.join(folder, 'model.onnx'),
  );
}

describe('an archive with a model', () => {
  it.each([
    ['plain', (bytes: Buffer) => bytes],
    ['with gzip', gzipSync],
    ['with zstd', zstdCompressSync],
  ])('gives its one ONNX file, packed %s', async (_how, pack) => {
    const archive = await tar(
      special('fraud/', 'directory'),
      file('fraud/README.md', 'about'),
      file('fraud/model.onnx'),
      file('fraud/._model.onnx', 'what macOS adds'),
    );
    const { path: modelPath, digest } = await extract(pack(archive));
    expect(readFileSync(modelPath).equals(model)).toBe(true);
    expect(digest).toBe(createHash('sha256').update(model).digest('hex'));
  });

  it('gives the golden data beside it, and nothing that is only called so', async () => {
    const archive = await tar(
      file('fraud/model.onnx'),
      file('fraud/test_data_set_0/input_0.pb', 'in'),
      file('fraud/test_data_set_0/output_0.pb', 'out'),
      file('fraud/test_data_set_0/notes.txt', 'about'),
      file('fraud/test_data_set_x/input_0.pb', 'other'),
      file('input_0.pb', 'other'),
    );
    await extract(archive);
    const found = readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.pb'));
    expect(found.toSorted()).toEqual(['test_data_set_0/input_0.pb', 'test_data_set_0/output_0.pb']);
    expect(readFileSync(path.join(folder, 'test_data_set_0/output_0.pb'), 'utf8')).toBe('out');
  });

  it('may have a long name', async () => {
    const name = `${'very-long-folder/'.repeat(20)}model.onnx`;
    await expect(extract(await tar(file(name)))).resolves.toBeDefined();
  });

  it.each<[string, TarEntry[], string]>([
    ['a symbolic link', [file('m.onnx'), special('x', 'symlink', '/etc/passwd')], '"x" in it is a symlink'],
    ['a link in place of the model', [special('m.onnx', 'symlink', '/etc/passwd')], 'is a symlink'],
    ['a hard link', [file('m.onnx'), special('x.onnx', 'link', 'm.onnx')], 'is a link'],
    ['a device', [special('zero', 'character-device'), file('m.onnx')], 'is a character-device'],
    ['a disk', [special('sda', 'block-device'), file('m.onnx')], 'is a block-device'],
    ['a pipe', [special('pipe', 'fifo'), file('m.onnx')], 'is a fifo'],
    ['an absolute name', [file('/var/lib/m.onnx')], 'leads out of it'],
    ['a name that climbs', [file('a/../../m.onnx')], 'leads out of it'],
    ['a name that climbs backwards', [file('a\\..\\..\\m.onnx')], 'leads out of it'],
    ['two models', [file('a.onnx'), file('b.onnx')], 'more than one ONNX file'],
    ['no model', [file('README.md', 'about')], 'no file that ends in .onnx'],
    ['nothing', [], 'no file that ends in .onnx'],
  ])('is refused with %s, and leaves nothing', async (_what, entries, words) => {
    const failure = await failureOf(extract(await tar(...entries)));
    expect(failure.reason).toBe('ModelInvalid');
    expect(failure.message).toContain(words);
    expect(readdirSync(folder)).toEqual(['archive']);
  });

  it.each([
    ['no archive', Buffer.from('<html>not found</html>')],
    ['broken gzip', Buffer.concat([Buffer.from('1f8b08', 'hex'), model])],
  ])('is refused when it is %s', async (_what, bytes) => {
    expect(await failureOf(extract(bytes))).toMatchObject({ reason: 'ModelInvalid' });
  });

  it('is refused when it ends early', async () => {
    const archive = await tar(file('m.onnx'));
    expect(await failureOf(extract(archive.subarray(0, 5000)))).toMatchObject({ reason: 'ModelInvalid' });
  });

  it.each([
    ['the model', 'm.onnx'],
    ['another file', 'padding.bin'],
  ])('is refused when %s unpacks to more than the limit', async (_what, name) => {
    const bomb = gzipSync(await tar(file(name, Buffer.alloc(20_000_000))));
    expect(bomb.length).toBeLessThan(100_000);
    const failure = await failureOf(extract(bomb));
    expect(failure.reason).toBe('ModelTooLarge');
    expect(readdirSync(folder)).toEqual(['archive']);
  });
});
