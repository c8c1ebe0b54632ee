import { RequestError } from '../../errors.ts';

const unitsMs = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);

/** How long the client waits, from `grpc-timeout`; undefined: as long as it takes. */
export function readTimeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit = ''] = /^(\d{1,8})([HMSmun])$/u.exec(text) ?? [];
  const unitMs = unitsMs.get(unit);
  if (amount !== undefined && unitMs !== undefined) return Number(amount) * unitMs;
  throw new RequestError(
    'MalformedRequest',
    `expected up to eight digits and one of H, M, S, m, u, n in grpc-timeout, got '${text.slice(0, 40)}'`,
  );
}
