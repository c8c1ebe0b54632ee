import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { MANAGEMENT_PORT } from '../../../operator/api/names.ts';

/** What a pod's runtime says of the requests of the last 30 s. */
export interface Answered {
  readonly requests: number;
  readonly errors: number;
}

/** Answers the report of a runtime on a loopback address of its own: this tier runs no container. */
export class StandInRuntime {
  readonly address: string;
  /** How often it was asked. */
  asked = 0;
  answered: Answered = { requests: 0, errors: 0 };
  private readonly server: Server;

  private constructor(server: Server, address: string) {
    this.server = server;
    this.address = address;
  }

  static async start(revision: string): Promise<StandInRuntime> {
    const server = createServer((request, response) => {
      runtime.asked += 1;
      response.statusCode = request.url === '/headgate/report' ? 200 : 404;
      response.end(JSON.stringify(reportOf(revision, runtime.answered)));
    });
    const runtime = new StandInRuntime(server, await listen(server, MANAGEMENT_PORT));
    return runtime;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

/** On a loopback address that nobody else has taken; every pod has one address of its own, too. */
export async function listen(server: Server, port: number): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const address = `127.${randomInt(16, 250)}.${randomInt(0, 250)}.${randomInt(1, 250)}`;
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, address);
    if (await listening) return address;
  }
  throw new Error(`no free loopback address for port ${port} in 20 attempts`);
}

function reportOf(revision: string, answered: Answered): object {
  return {
    ...{ revision, modelDigest: 'a'.repeat(64), ready: true, startedSecondsAgo: 10 },
    total: answered,
    window: { seconds: 30, ...answered },
    ...{ latencyP95Ms: 12, inFlight: 0, lastRequestSecondsAgo: null, routings: [] },
  };
}
