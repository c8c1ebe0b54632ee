import { startApiServer } from './api-server.ts';

async function main(command: string | undefined): Promise<void> {
  if (command === 'api-up') {
    const server = await startApiServer();
    console.log(
      `an API server is up: export KUBECONFIG=${server.kubeconfig}\nCtrl-C ends it and removes everything`,
    );
    setInterval(() => undefined, 3_600_000);
    return;
  }
  throw new Error('usage: node test/bed/main.ts up | down | status | api-up');
}

await main(process.argv[2]);
