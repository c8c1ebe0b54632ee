import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Registry } from 'prom-client';

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  readonly isReady: () => boolean;
}

/** /livez, /readyz and /metrics. */
export async function startHealthServer({ port, registry, isReady }: HealthOptions): Promise<HealthServer> {
  const application = express();
  application.disable('x-powered-by');
  application.get('/livez', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  application.get('/readyz', (_request, response) => {
    const ready = isReady();
    response
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ok\n' : 'waiting for the first lists\n');
  });
  application.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  const server = application.listen(port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
