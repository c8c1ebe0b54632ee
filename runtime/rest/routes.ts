import { randomUUID } from 'node:crypto';
import { MODEL_VERSION, SERVER_VERSION, type DataPlane } from '../inference/data-plane.ts';
import { RequestError } from '../errors.ts';
import type { Statistics } from '../inference/statistics.ts';
import { buildDocument } from '../openapi/document.ts';
import { buildPage, contentSecurityPolicy } from '../openapi/page.ts';
import type { Exchange } from './exchange.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly handle: (exchange: Exchange) => void | Promise<void>;
}

export interface RouteOptions {
  readonly dataPlane: DataPlane;
  readonly statistics: Statistics;
  readonly revision: string;
  readonly infer: Route['handle'];
}

type NamedRoute = readonly [path: string, route: Route];

function get(path: string, read: () => unknown): NamedRoute {
  return [path, { method: 'GET', handle: (exchange) => exchange.answer(200, JSON.stringify(read())) }];
}

function health(path: string, check: () => { isGood: boolean; body: object }): NamedRoute {
  const handle = (exchange: Exchange): void => {
    const { isGood, body } = check();
    exchange.answer(isGood ? 200 : 503, JSON.stringify(body));
  };
  return [path, { method: 'GET', handle }];
}

/** Without a version, and with it: this server has one. */
function modelRoutes({ dataPlane, statistics, infer }: RouteOptions): NamedRoute[] {
  const { modelName } = dataPlane;
  const readStatistics = (): object => ({ model_stats: [statistics.read(modelName, MODEL_VERSION)] });
  const base = `/v2/models/${modelName}`;
  return [
    get('/v2/models/stats', readStatistics),
    ...[base, `${base}/versions/${MODEL_VERSION}`].flatMap((path): NamedRoute[] => [
      get(path, () => dataPlane.modelMetadata()),
      get(`${path}/config`, () => dataPlane.modelConfig()),
      get(`${path}/stats`, readStatistics),
      health(`${path}/ready`, () => {
        const { isReady } = dataPlane;
        return { isGood: isReady, body: { name: modelName, ready: isReady } };
      }),
      [`${path}/infer`, { method: 'POST', handle: infer }],
    ]),
  ];
}

/** The model repository extension. */
function repositoryRoutes(dataPlane: DataPlane): NamedRoute[] {
  const { modelName } = dataPlane;
  const index = (exchange: Exchange): void =>
    exchange.answer(200, JSON.stringify(dataPlane.repositoryIndex()));
  const refuse = (): never => dataPlane.refuseManagement();
  return [
    ['/v2/repository/index', { method: 'POST', handle: index }],
    [`/v2/repository/models/${modelName}/load`, { method: 'POST', handle: refuse }],
    [`/v2/repository/models/${modelName}/unload`, { method: 'POST', handle: refuse }],
  ];
}

/** OpenAPI of the loaded model, and a page to try it. */
function documentationRoutes({ dataPlane, revision }: RouteOptions): NamedRoute[] {
  const document = (): object =>
    buildDocument({
      modelName: dataPlane.modelName,
      modelVersion: MODEL_VERSION,
      revision,
      serverVersion: SERVER_VERSION,
      signature: dataPlane.readSignature(),
    });
  const page = (exchange: Exchange): void => {
    const nonce = randomUUID();
    exchange.answer(200, buildPage(nonce), {
      contentType: 'text/html; charset=utf-8',
      headers: ['content-security-policy', contentSecurityPolicy(nonce)],
    });
  };
  return [get('/v2/openapi.json', document), ['/v2/docs', { method: 'GET', handle: page }]];
}

/** Every address of the Open Inference Protocol that this server answers; one model, so one look-up finds it. */
export function buildRoutes(options: RouteOptions): ReadonlyMap<string, Route> {
  const { dataPlane } = options;
  return new Map([
    get('/v2', () => dataPlane.serverMetadata()),
    health('/v2/health/live', () => ({ isGood: true, body: { live: true } })),
    health('/v2/health/ready', () => ({ isGood: dataPlane.isReady, body: { ready: dataPlane.isReady } })),
    ...modelRoutes(options),
    ...repositoryRoutes(dataPlane),
    ...documentationRoutes(options),
  ]);
}

/** Says which part of an unknown address is wrong. */
export function explainUnknownPath(path: string, modelName: string): RequestError {
  const [, model, version] =
    /^\/v2\/(?:repository\/)?models\/([^/]+)(?:\/versions\/([^/]+))?/u.exec(path) ?? [];
  if (model !== undefined && model !== modelName) {
    return new RequestError(
      'UnknownModel',
      `model '${model.slice(0, 80)}' is not served here; expected '${modelName}'`,
    );
  }
  if (version !== undefined && version !== MODEL_VERSION) {
    return new RequestError(
      'UnknownModelVersion',
      `model '${modelName}' has no version '${version.slice(0, 80)}'; expected '${MODEL_VERSION}'`,
    );
  }
  return new RequestError('UnknownRoute', `there is nothing at ${path.slice(0, 200)}`);
}
