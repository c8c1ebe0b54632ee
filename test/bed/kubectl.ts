import { part } from './programs.ts';
import { run } from './shell.ts';
import { waitFor } from './wait.ts';

export interface Kubectl {
  (...args: string[]): Promise<string>;
  /** Server-side apply of objects or of YAML text. */
  apply(manifest: string | readonly object[]): Promise<string>;
  /** `create -f -`, as a person does it. */
  create(manifest: string, ...args: string[]): Promise<string>;
  /** `get … -o json`, parsed. */
  json(...args: string[]): Promise<unknown>;
  /** Settled once the kinds of these definitions are served; as `kubectl wait` names them. */
  established(...definitions: string[]): Promise<void>;
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
    established: async (...definitions: string[]): Promise<void> => {
      const question = ['wait', '--for=condition=Established', '--timeout=60s', ...definitions];
      // kubectl gives up on an object that has no conditions at all yet.
      await waitFor('the definitions are served', () => execute(question), { timeoutMs: 60_000 });
    },
  });
}
