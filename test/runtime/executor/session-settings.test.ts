import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it, vi } from 'vitest';
import { Settings } from '../../../runtime/config/settings.ts';
import {
  ProviderMissingError,
  type ExecutionProvider,
} from '../../../runtime/executor/execution-providers.ts';
import { OnnxModel } from '../../../runtime/executor/onnx-model.ts';
import {
  defaultSession,
  readSessionSettings,
  type SessionSettings,
} from '../../../runtime/executor/session-settings.ts';
import { exampleModelPath, exampleModelUri } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

function read(value: unknown): SessionSettings {
  return readSessionSettings(new Settings({ HEADGATE_SESSION: JSON.stringify(value) }));
}

function load(file: string, ...providers: ExecutionProvider[]): Promise<OnnxModel> {
  return OnnxModel.load({
    modelPath: exampleModelPath(file),
    threads: 1,
    session: { ...defaultSession, providers },
  });
}

describe('how ONNX Runtime holds the model', { timeout: 60_000 }, () => {
  it('is its own way where nothing is said', () => {
    expect(readSessionSettings(new Settings({}))).toEqual(defaultSession);
    expect(read({})).toEqual(defaultSession);
  });

  it('is what the ModelDeployment says', () => {
    const executionProviders = ['tensorrt', 'cuda', 'cpu'];
    const value = {
      executionProviders,
      graphOptimization: 'Basic',
      memoryArena: false,
      memoryPattern: false,
    };
    expect(read(value)).toEqual({
      providers: executionProviders,
      graphOptimization: 'basic',
      memoryArena: false,
      memoryPattern: false,
    });
  });

  it('is told to ONNX Runtime, all of it', async () => {
    // What it was given cannot be read back from a session; the real one is opened all the same.
    const create = vi.spyOn(InferenceSession, 'create');
    const session = { providers: ['cpu'], memoryArena: false, memoryPattern: false } as const;
    for (const graphOptimization of ['disabled', 'basic', 'extended', 'all'] as const) {
      const modelPath = exampleModelPath('v1.onnx');
      await OnnxModel.load({ modelPath, threads: 3, session: { ...session, graphOptimization } });
      expect(create).toHaveBeenLastCalledWith(
        modelPath,
        expect.objectContaining({
          executionProviders: ['cpu'],
          graphOptimizationLevel: graphOptimization,
          enableCpuMemArena: false,
          enableMemPattern: false,
          intraOpNumThreads: 3,
        }),
      );
    }
    create.mockRestore();
  });

  it.each<[string, unknown]>([
    [
      'executionProviders is not what is expected; set a list of tensorrt, cuda, cpu',
      { executionProviders: ['gpu'] },
    ],
    ['executionProviders is not what is expected', { executionProviders: ['cuda', 'gpu', 'cpu'] }],
    ['executionProviders is not what is expected', { executionProviders: [] }],
    ['graphOptimization is not what is expected; set one of disabled', { graphOptimization: 'Most' }],
    ['memoryArena is not what is expected; set true or false', { memoryArena: 'no' }],
    ["has the unknown member 'threads'", { threads: 2 }],
  ])('is refused: %s', (words, value) => {
    expect(() => read(value)).toThrow(words);
  });
});

// This machine has no GPU and the package no library for one: what is missing is really missing.
describe('execution providers that are not there', { timeout: 60_000 }, () => {
  it.each<[ExecutionProvider[], ExecutionProvider]>([
    [['cpu'], 'cpu'],
    [['cuda', 'cpu'], 'cpu'],
    [['tensorrt', 'cuda', 'cpu'], 'cpu'],
  ])('are passed over: %j runs on %s', async (providers, expected) => {
    expect((await load('v1.onnx', ...providers)).provider).toBe(expected);
  });

  it('are an error where nothing is left, in the words of ONNX Runtime', async () => {
    const loading = load('v1.onnx', 'tensorrt', 'cuda');
    await expect(loading).rejects.toThrow(ProviderMissingError);
    await expect(loading).rejects.toThrow(/tensorrt: .*; cuda: ./u);
  });

  it('do not hide that the model is broken', async () => {
    const failure: unknown = await load('broken.onnx', 'cuda', 'cpu').catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(ProviderMissingError);
    expect(failure).toMatchObject({ message: expect.stringContaining('Protobuf parsing failed') as string });
  });

  it('end the start of a server that demands them, with the way out', async () => {
    const runtime = new RuntimeProcess({
      HEADGATE_MODEL_URI: exampleModelUri('v1.onnx'),
      HEADGATE_SESSION: '{"executionProviders":["cuda"]}',
    });
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords).toEqual({
      reason: 'ExecutionProviderMissing',
      message: expect.stringMatching(/cuda: .*add cpu as the last/u) as string,
    });
    await runtime.stop();
  });

  it('are passed over by a server that may go on without, and its log says where the model runs', async () => {
    const runtime = await RuntimeProcess.start({ HEADGATE_SESSION: '{"executionProviders":["cuda","cpu"]}' });
    expect(runtime.log.find(({ executionProvider }) => executionProvider !== undefined)).toMatchObject({
      executionProvider: 'cpu',
    });
    await runtime.stop();
  });
});
