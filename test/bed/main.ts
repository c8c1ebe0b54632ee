import { startApiServer } from './api-server.ts';
import { readBed, startBed, stopBed } from './bed.ts';

const print = (line: string): void => console.log(line);

const commands: Readonly<Record<string, () => Promise<void>>> = {
  up: async () => {
    await startBed({ print });
  },
  down: async () => {
    print(
      (await stopBed()) ? 'the bed is down; nothing of it runs, is mounted or is changed' : 'no bed is up',
    );
  },
  status: async () => {
    const bed = readBed();
    print(`up: export KUBECONFIG=${bed.kubeconfig}`);
    print(await bed.kubectl('get', 'pods', '--all-namespaces', '-o', 'wide'));
  },
  'api-up': async () => {
    const server = await startApiServer();
    print(
      `an API server is up: export KUBECONFIG=${server.kubeconfig}\nCtrl-C ends it and removes everything`,
    );
    setInterval(() => undefined, 3_600_000);
  },
};

const command = commands[process.argv[2] ?? ''];
if (command === undefined) {
  console.error(`usage: node test/bed/main.ts ${Object.keys(commands).join(' | ')}`);
  process.exitCode = 2;
} else {
  await command().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
