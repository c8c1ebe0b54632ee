import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { addresses } from './layout.ts';
import { enterWords } from './namespace.ts';
import { toolchain } from './toolchain.ts';

export interface ModelServer {
  /** For example `http://10.10.0.1:40123`; a file lies below it at its path in the folder. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves a folder of models over plain http on the node's address, on a port of its own; ends with this process. */
export async function startModelServer(bed: Bed, folder: string): Promise<ModelServer> {
  const { node } = await toolchain();
  const worker = join(import.meta.dirname, 'model-server-worker.ts');
  const [program, ...args] = [...enterWords(bed.namespace), node, worker, folder, addresses.node, '0'];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the model server ended with ${String(code)}`);
    }),
  ])) as [Buffer];
  return {
    url: `http://${addresses.node}:${port.toString().trim()}`,
    stop: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
