import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { DataPlane } from '../inference/data-plane.ts';
import type { TrafficReport } from '../metrics/traffic.ts';
import type { Watchers } from '../watchers.ts';
import { addDriftRoutes } from './drift-routes.ts';
import { addOutputRoutes } from './output-routes.ts';
import { addRecordRoutes } from './record-routes.ts';
import type { TokenGuard } from './token-guard.ts';

/** What the operator reads once a second during a rollout. */
export interface Report extends TrafficReport {
  readonly revision: string;
  /** sha256 of what was loaded; null until then. */
  readonly modelDigest: string | null;
  readonly ready: boolean;
  readonly startedSecondsAgo: number;
}

export interface ManagementOptions {
  readonly revision: string;
  readonly dataPlane: DataPlane;
  readonly watchers: Watchers;
  readonly readModelDigest: () => string | null;
  readonly startedAtMs: number;
  /** Undefined: whoever reaches the port may ask for everything. */
  readonly guard: TokenGuard | undefined;
}

export function buildReport(options: ManagementOptions, nowMs: number): Report {
  return {
    revision: options.revision,
    modelDigest: options.readModelDigest(),
    ready: options.dataPlane.isReady,
    startedSecondsAgo: (nowMs - options.startedAtMs) / 1000,
    ...options.watchers.traffic.report(nowMs),
  };
}

function explainReadiness({ isDraining, isModelReady }: DataPlane): string {
  if (isDraining) return 'the server is draining';
  return isModelReady ? 'the model is ready' : 'the model is not loaded';
}

/** Express' own would answer with a page that shows the stack. */
const answerError: ErrorRequestHandler = (
  error: Error & { readonly status?: number },
  _request,
  response,
  next,
) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const { status = 500, message } = error;
  response.status(status).json({ error: status < 500 ? message : 'the server failed' });
};

function buildApp(options: ManagementOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/livez', (_request, response) => {
    response.json({ live: true });
  });
  app.get('/readyz', (_request, response) => {
    const { dataPlane } = options;
    response
      .status(dataPlane.isReady ? 200 : 503)
      .json({ ready: dataPlane.isReady, reason: explainReadiness(dataPlane) });
  });
  app.get('/metrics', async (_request, response) => {
    const { registry } = options.watchers.metrics;
    response.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/headgate/report', (_request, response) => {
    response.json(buildReport(options, performance.now()));
  });
  // Kubelet, Prometheus and operator have no token, and what is above tells of no single request.
  if (options.guard !== undefined) app.use(options.guard.handler);
  addDriftRoutes(app, options.watchers);
  addOutputRoutes(app, options.watchers);
  addRecordRoutes(app, options.watchers);
  app.use(answerError);
  return app;
}

/** Probes, metrics and the operator's report, on a port that is no part of the service. */
export class ManagementServer {
  readonly #app: Express;
  readonly #guard: TokenGuard | undefined;
  #server: Server | undefined;

  constructor(options: ManagementOptions) {
    this.#app = buildApp(options);
    this.#guard = options.guard;
  }

  /** Rejects with StartFailure where there should be a token and is none. */
  async listen(port: number): Promise<number> {
    await this.#guard?.readToken();
    return await new Promise((resolve, reject) => {
      const server = this.#app.listen(port, (error?: Error) => {
        if (error === undefined) resolve((server.address() as AddressInfo).port);
        else reject(error);
      });
      this.#server = server;
    });
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
