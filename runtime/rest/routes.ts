import { MODEL_VERSION, type DataPlane } from '../inference/data-plane.ts';
import { RequestError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly handle: (exchange: Exchange) => void | Promise<void>;
}

type InferHandler = Route['handle'];

function answerHealth(exchange: Exchange, isGood: boolean, body: Readonly<Record<string, unknown>>): void {
  exchange.answer(isGood ? 200 : 503, JSON.stringify(body));
}

function buildModelRoutes(dataPlane: DataPlane, infer: InferHandler): [string, Route][] {
  const { modelName } = dataPlane;
  const metadata = (exchange: Exchange): void =>
    exchange.answer(200, JSON.stringify(dataPlane.modelMetadata()));
  const ready = (exchange: Exchange): void => {
    const { isReady } = dataPlane;
    answerHealth(exchange, isReady, { name: modelName, ready: isReady });
  };
  const base = `/v2/models/${modelName}`;
  return [base, `${base}/versions/${MODEL_VERSION}`].flatMap((path): [string, Route][] => [
    [path, { method: 'GET', handle: metadata }],
    [`${path}/ready`, { method: 'GET', handle: ready }],
    [`${path}/infer`, { method: 'POST', handle: infer }],
  ]);
}

/** Every address of the Open Inference Protocol that this server answers; one model, so one look-up finds it. */
export function buildRoutes(dataPlane: DataPlane, infer: InferHandler): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [
      '/v2',
      {
        method: 'GET',
        handle: (exchange) => exchange.answer(200, JSON.stringify(dataPlane.serverMetadata())),
      },
    ],
    [
      '/v2/health/live',
      { method: 'GET', handle: (exchange) => answerHealth(exchange, true, { live: true }) },
    ],
    [
      '/v2/health/ready',
      {
        method: 'GET',
        handle: (exchange) => answerHealth(exchange, dataPlane.isReady, { ready: dataPlane.isReady }),
      },
    ],
    ...buildModelRoutes(dataPlane, infer),
  ]);
}

/** Says which part of an unknown address is wrong. */
export function explainUnknownPath(path: string, modelName: string): RequestError {
  const [, model, version] = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?/u.exec(path) ?? [];
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
