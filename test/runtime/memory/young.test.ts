import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { YoungMemory } from '../../../runtime/memory/young.ts';
import { run } from '../../bed/shell.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { runtimeNodeOptions } from '../../support/runtime-image.ts';
import { buildOnnxModel } from '../../support/onnx-model.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const script = fileURLToPath(new URL('../../support/buffers-that-die.ts', import.meta.url));

describe('young memory', () => {
  it('is collected once its buffers have taken so much, and then once they have taken as much again', async () => {
    const collect = vi.fn<() => void>();
    const memory = new YoungMemory(collect, 100);
    memory.take(99);
    await turn();
    expect(collect).not.toHaveBeenCalled();
    memory.take(1);
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
    memory.take(99);
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
    memory.take(1);
    await turn();
    expect(collect).toHaveBeenCalledTimes(2);
  });

  it('is not collected amid what takes it, and once however much was taken meanwhile', async () => {
    const collect = vi.fn<() => void>();
    const memory = new YoungMemory(collect, 100);
    for (let taken = 0; taken < 10; taken++) memory.take(1000);
    expect(collect).not.toHaveBeenCalled();
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('spares the server the full collections that its answers would cost', async () => {
    const collectionsWith = async (...how: string[]): Promise<number> => {
      const told = await run(process.execPath, [...runtimeNodeOptions(), script, ...how]);
      return (JSON.parse(told) as { fullCollections: number }).fullCollections;
    };
    const uncounted = await collectionsWith();
    expect(uncounted).toBeGreaterThanOrEqual(8);
    // One may fall into the start.
    expect(await collectionsWith('counted')).toBeLessThanOrEqual(2);
  });
});

describe('a server whose bodies and answers are large', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-young-'));
  const NUMBERS = 24_000;
  let runtime: RuntimeProcess;

  beforeAll(async () => {
    const modelPath = path.join(folder, 'echo.onnx');
    writeFileSync(modelPath, buildOnnxModel([{ name: 'X', type: 'FP32', shape: ['n'] }]));
    runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: pathToFileURL(modelPath).href });
  }, 60_000);
  afterAll(async () => {
    await runtime.stop();
    rmSync(folder, { recursive: true });
  });

  async function collectionsOf(kind: 'major' | 'minor'): Promise<number> {
    const { text } = await runtime.askManagement('/metrics');
    const count = new RegExp(`^nodejs_gc_duration_seconds_count\\{[^}]*kind="${kind}"[^}]*\\} (\\d+)`, 'mu');
    // There is no such line before the first one.
    return Number(count.exec(text)?.[1] ?? 0);
  }

  async function collectionsDuring(
    requests: number,
    ask: () => Promise<unknown>,
  ): Promise<{ readonly minor: number; readonly major: number }> {
    const [minorBefore, majorBefore] = [await collectionsOf('minor'), await collectionsOf('major')];
    for (let request = 0; request < requests; request++) await ask();
    return {
      minor: (await collectionsOf('minor')) - minorBefore,
      major: (await collectionsOf('major')) - majorBefore,
    };
  }

  const data = Float32Array.from({ length: NUMBERS }, (_, index) => index / 7);
  const head = { name: 'X', shape: [NUMBERS], datatype: 'FP32' };

  it('collects their memory while it is young, and not in full', { timeout: 60_000 }, async () => {
    const body = JSON.stringify({ inputs: [{ ...head, data: [...data] }] });
    const { minor, major } = await collectionsDuring(400, async () =>
      expect((await runtime.infer(body)).status).toBe(200),
    );
    expect(minor).toBeGreaterThan(10);
    // One may be under way from the start.
    expect(major).toBeLessThanOrEqual(2);
  });

  it('does so over gRPC too', { timeout: 60_000 }, async () => {
    const client = new GrpcClient(runtime.grpcPort);
    const raw = Buffer.from(data.buffer);
    const question = { model_name: 'tumour', inputs: [head], raw_input_contents: [raw] };
    const { minor, major } = await collectionsDuring(3000, () => client.ask('ModelInfer', question));
    client.close();
    expect(minor).toBeGreaterThan(50);
    // One here, and nine where streams keep their listeners.
    expect(major).toBeLessThanOrEqual(3);
  });
});
