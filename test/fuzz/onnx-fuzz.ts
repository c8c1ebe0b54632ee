import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { exampleModelPath } from '../support/example-models.ts';
import { Dice } from '../support/dice.ts';
import { buildOnnxModel, type onnxTypes } from '../support/onnx-model.ts';
import { mutateBytes, replaceBytes } from './bytes.ts';

export interface OnnxFuzzOptions {
  readonly seed: number;
  readonly files: number;
  readonly processes: number;
}

export interface OnnxFuzzReport {
  readonly loaded: number;
  readonly refused: number;
  /** Files under which the process of the model ended or hung: the server must live through each of them. */
  readonly deadly: readonly Buffer[];
  /** How the processes ended. */
  readonly deaths: Readonly<Record<string, number>>;
  /** Refusals that say nothing. */
  readonly silent: number;
}

const loaderPath = fileURLToPath(new URL('onnx-loader.ts', import.meta.url));
const PATIENCE_MS = 20_000;

const seeds: readonly Buffer[] = [
  ...['v1.onnx', 'v2.onnx', 'errors-on-real-data.onnx'].map((name) => readFileSync(exampleModelPath(name))),
  buildOnnxModel(
    (['FP32', 'INT64', 'BYTES', 'BOOL', 'FP16'] satisfies (keyof typeof onnxTypes)[]).map((type) => ({
      name: type,
      type,
      shape: ['n'],
    })),
  ),
];

/** The process that loads, started anew whenever a model ends it. */
class Loader {
  #child: ChildProcess | undefined;

  /** What the process said, or how it ended. */
  load(file: string): Promise<{ readonly verdict: string } | { readonly death: string }> {
    const child = (this.#child ??= fork(loaderPath, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      const finish = (result: { readonly verdict: string } | { readonly death: string }): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(result);
      };
      child.once('message', (verdict: string) => finish({ verdict }));
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        finish({ death: signal === null ? `exit code ${code ?? ''}` : signal });
      });
      child.send(file);
    });
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** Loads mutated models in processes of their own, as the executor does. */
export async function fuzzOnnx({ seed, files, processes }: OnnxFuzzOptions): Promise<OnnxFuzzReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-onnx-fuzz-'));
  const counts = { loaded: 0, refused: 0, silent: 0 };
  const deadly: Buffer[] = [];
  const deaths: Record<string, number> = {};
  let left = files;
  const attack = async (index: number): Promise<void> => {
    const dice = new Dice(seed + index);
    const loader = new Loader();
    const file = path.join(folder, `${index}.onnx`);
    while (left-- > 0) {
      const mutate = dice.below(4) === 0 ? mutateBytes : replaceBytes;
      const bytes = mutate(dice.pick(seeds) ?? Buffer.alloc(0), dice);
      writeFileSync(file, bytes);
      const result = await loader.load(file);
      if ('death' in result) {
        deadly.push(bytes);
        deaths[result.death] = (deaths[result.death] ?? 0) + 1;
      } else if (result.verdict === 'loaded') counts.loaded++;
      else if (result.verdict.length > 'refused: '.length) counts.refused++;
      else counts.silent++;
    }
    loader.stop();
  };
  await Promise.all(Array.from({ length: processes }, (_, index) => attack(index)));
  rmSync(folder, { recursive: true });
  return { ...counts, deadly, deaths };
}
