import { beforeAll, describe, expect, it } from 'vitest';
import { labels, RUNTIME_CONTAINER } from '../../operator/api/names.ts';
import { ensureProjectImage } from '../bed/images.ts';
import { ensureBaseImage } from '../bed/base-image.ts';
import { listPods } from '../bed/pods.ts';
import { readImage, type ImageContents } from './support/image-contents.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { operator, useStack } from './support/stack.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'images');
const images = [
  // Node alone is the base; what we add is small next to it.
  { name: 'operator', mostMebibytes: 40, entrypoint: 'dist/operator/main.js' },
  { name: 'runtime', mostMebibytes: 80, entrypoint: 'dist/runtime/main.js' },
] as const;

const contents = new Map<string, ImageContents>();
let baseBytes: number;

beforeAll(async () => {
  baseBytes = (await readImage(await ensureBaseImage())).bytes;
  for (const { name } of images) contents.set(name, await readImage(await ensureProjectImage(name)));
  await stack.bed.kubectl.apply([
    modelDeployment({ namespace, name: 'look', modelUri: stack.modelUri('v1.onnx') }),
  ]);
  await waitForPhase(stack.bed, { namespace, name: 'look' }, 'Healthy');
});

describe('the image of the', () => {
  it.for(images)('$name runs as nobody in particular and says how it is', ({ name, entrypoint }) => {
    const { config } = contentsOf(name);
    expect(config.User).toBe('65532:65532');
    expect(config.Entrypoint?.at(0)).toBe('node');
    expect(config.Entrypoint?.at(-1)).toBe(entrypoint);
    expect(config.Healthcheck?.Test).toContain('node');
  });

  it.for(images)('$name adds less than $mostMebibytes MiB to its base', ({ name, mostMebibytes }) => {
    const mebibytes = (contentsOf(name).bytes - baseBytes) / 1024 / 1024;
    console.log(`  ${name}: ${mebibytes.toFixed(1)} MiB above its base`);
    expect(mebibytes).toBeLessThan(mostMebibytes);
  });

  it.for(images)('$name holds no tests, no sources and no binaries of other platforms', ({ name }) => {
    const others = process.arch === 'x64' ? 'arm64' : 'x64';
    const foreign = new RegExp(`(^|/)(darwin|win32|${others})/|\\.dll$|\\.dylib$`);
    const ours = contentsOf(name).files.filter((file) => file.startsWith('app/'));
    expect(ours).toContain(`app/dist/${name}/main.js`);
    expect(
      ours.filter((file) => foreign.test(file) || /^app\/(test|operator|runtime|\.git|\.npmrc)\b/.test(file)),
    ).toEqual([]);
  });
});

describe('a pod of the', () => {
  it.for([
    { name: 'operator', where: operator.namespace, selector: operator.selector },
    { name: RUNTIME_CONTAINER, where: namespace, selector: `${labels.modelDeployment}=look` },
  ])('$name can write nowhere in its image and is not root', async ({ name, where, selector }) => {
    const [pod] = await listPods(stack.bed, where, selector);
    const script = `
      const { writeFileSync } = require('node:fs');
      const codes = ['/app/x', '/usr/x', '/x'].map((path) => {
        try { writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; }
      });
      console.log(JSON.stringify({ uid: process.getuid(), gid: process.getgid(), codes }));`;
    const printed = await stack.bed.kubectl(
      ...['exec', '-n', where, pod?.name ?? '', '-c', name, '--', 'node', '-e', script],
    );
    expect(JSON.parse(printed)).toEqual({ uid: 65_532, gid: 65_532, codes: ['EROFS', 'EROFS', 'EROFS'] });
  });
});

function contentsOf(name: string): ImageContents {
  const found = contents.get(name);
  if (found === undefined) throw new Error(`no image ${name} was read`);
  return found;
}
