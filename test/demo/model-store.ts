import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import { addresses, repository } from '../bed/layout.ts';
import { launchInside } from '../bed/namespace.ts';
import { toolchain } from '../bed/toolchain.ts';
import { waitFor } from '../bed/wait.ts';

/** As the files of examples/demo name it. */
const port = 8001;

/** Serves examples/models as long as the cluster is up: a pod that starts anew after the demo needs its model too. */
export async function keepModelsServed(bed: Bed): Promise<void> {
  if (await answers()) return;
  const { node } = await toolchain();
  const worker = join(repository, 'test/bed/model-server-worker.ts');
  const folder = join(repository, 'examples/models');
  await launchInside(bed.namespace, {
    name: 'demo models',
    // The worker ends when its input does, and this input never does.
    command: [
      'sh',
      '-c',
      'tail -f /dev/null | "$@"',
      'models',
      node,
      worker,
      folder,
      addresses.node,
      String(port),
    ],
    logFile: join(bed.layout.logs, 'demo-models.log'),
  });
  await waitFor(`models are served on port ${port}`, answers);
}

async function answers(): Promise<boolean> {
  try {
    const answer = await fetch(`http://${addresses.node}:${port}/v1.onnx`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
