import { OnnxModel } from '../../runtime/executor/onnx-model.ts';

/** A process of its own, as the executor is: loads and warms each file that it is told of, and says how it went. */
async function load(modelPath: string): Promise<string> {
  try {
    const model = await OnnxModel.load({ modelPath, threads: 1 });
    await model.warmUp();
    return 'loaded';
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
}

process.on('message', (modelPath: string) => {
  void load(modelPath).then((verdict) => process.send?.(verdict));
});
