import { part } from './programs.ts';
import { run } from './shell.ts';

export interface Kubectl {
  (...args: string[]): Promise<string>;
  /** Server-side apply of objects or of YAML text. */
  apply(manifest: string | readonly object[]): Promise<string>;
  /** `create -f -`, as a person does it. */
  create(manifest: string, ...args: string[]): Promise<string>;
  /** `get … -o json`, parsed. */
  json(...args: string[]): Promise<unknown>;
}

/** kubectl bound to one cluster; nothing of the user's own configuration is read or written. */
export function createKubectl(kubeconfig: string, cacheFolder: string): Kubectl {
  const execute = (args: readonly string[], input?: string): Promise<string> =>
    run(part('kubectl'), [`--kubeconfig=${kubeconfig}`, `--cache-dir=${cacheFolder}`, ...args], {
      ...(input === undefined ? {} : { input }),
    });
  const kubectl = (...args: string[]): Promise<string> => execute(args);
  return Object.assign(kubectl, {
    apply: (manifest: string | readonly object[]): Promise<string> =>
      execute(
        ['apply', '--server-side', '--force-conflicts', '--field-manager=bed', '-f', '-'],
        typeof manifest === 'string'
          ? manifest
          : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest }),
      ),
    create: (manifest: string, ...args: string[]): Promise<string> =>
      execute(['create', '-f', '-', ...args], manifest),
    json: async (...args: string[]): Promise<unknown> =>
      JSON.parse(await execute([...args, '-o', 'json'])) as unknown,
  });
}
