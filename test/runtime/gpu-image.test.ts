import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

function read(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
}

const requirements = new Map(
  read('runtime/cuda-requirements.txt')
    .trim()
    .split('\n')
    .map((line) => line.split('==') as [string, string]),
);

describe('the image for GPUs', () => {
  it('has the provider of the very ONNX Runtime that the runtime loads: their interface has no version of its own', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(requirements.get('onnxruntime-gpu')).toBe(dependencies['onnxruntime-node']);
  });

  it('has each package in one version', () => {
    for (const [name, version] of requirements)
      expect(`${name}==${version}`).toMatch(/^[a-z0-9-]+==[0-9.]+$/u);
    expect(requirements.size).toBe(read('runtime/cuda-requirements.txt').trim().split('\n').length);
  });

  it('puts the provider beside the library that looks for it', () => {
    const [, folder = ''] =
      /^COPY --from=cuda \/providers\/ (\S+)\/$/mu.exec(read('runtime/gpu.Dockerfile')) ?? [];
    expect(existsSync(new URL(`../../${folder}/libonnxruntime.so.1`, import.meta.url))).toBe(true);
    expect(read('scripts/cuda-libraries.sh')).toContain(folder);
  });
});
