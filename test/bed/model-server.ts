import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { addresses, ports } from './layout.ts';
import { enterWords } from './namespace.ts';
import { toolchain } from './toolchain.ts';
import { waitFor } from './wait.ts';

export interface ModelServer {
  /** For example `http://10.10.0.1:8000`; a file lies below it at its path in the folder. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves a folder of models over plain http on the node's address; ends with this process. */
export async function startModelServer(
  bed: Bed,
  folder: string,
  port: number = ports.models,
): Promise<ModelServer> {
  const { node } = await toolchain();
  const worker = join(import.meta.dirname, 'model-server-worker.ts');
  const [program, ...args] = [
    ...enterWords(bed.namespace),
    node,
    worker,
    folder,
    addresses.node,
    String(port),
  ];
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const url = `http://${addresses.node}:${port}`;
  await waitFor(`the model server answers at ${url}`, async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: is the port taken?`);
    const answer = await fetch(`${url}/`);
    await answer.arrayBuffer();
    return true;
  });
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
