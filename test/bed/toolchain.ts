import { join } from 'node:path';
import { repository } from './layout.ts';
import { run } from './shell.ts';

export interface Toolchain {
  readonly node: string;
  readonly go: string;
  readonly envoy: string;
}

let known: Promise<Toolchain> | undefined;

/** The pinned programs of scripts/toolchain.sh, whatever the shell that started us has in its PATH. */
export function toolchain(): Promise<Toolchain> {
  known ??= findToolchain();
  return known;
}

async function findToolchain(): Promise<Toolchain> {
  const script =
    '. "$0" && use_toolchain && printf "%s\\n" "$(command -v node)" "$(command -v go)" "$HEADGATE_ENVOY"';
  const printed = await run('bash', ['-c', script, join(repository, 'scripts/toolchain.sh')]);
  const [node, go, envoy] = printed.trim().split('\n');
  if (node === undefined || go === undefined || envoy === undefined)
    throw new Error('the toolchain is not complete');
  return { node, go, envoy };
}
