import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { expectReference, rows, seenBy } from './support.ts';

type Seen = Readonly<Record<string, unknown>>;

/** What the program beside this file prints. */
interface Report {
  readonly grpc: Seen;
  readonly http: Seen;
  readonly reflection: { readonly services: readonly string[]; readonly methods: readonly string[] };
}

let runtime: RuntimeProcess;
let seen: Report;
beforeAll(async () => {
  runtime = await RuntimeProcess.start();
  seen = (await seenBy('kserve_client.py', runtime, 'tumour', JSON.stringify(rows))) as Report;
}, 120_000);
afterAll(() => runtime.stop());

const health = { live: true, ready: true, modelReady: true };

describe("KServe's client over gRPC", () => {
  it('finds the server and its model alive and ready, and no other model', () => {
    expect(seen.grpc).toMatchObject({ ...health, otherModelReady: false });
  });

  it.each(['typed', 'raw'])('gets the answers of scikit-learn, and its id back: %s', (way) => {
    expect(seen.grpc[way]).toMatchObject({ id: 'row 7', model: 'tumour' });
    expectReference(seen.grpc[way]);
  });

  it('is told what is wrong', () => {
    const message = "tensor 'Y' is no input of the model; expected 'X'";
    expect(seen.grpc['unknownInput']).toEqual({ status: 'INVALID_ARGUMENT', message });
  });
});

describe("KServe's client over HTTP", () => {
  it('finds the server and its model alive and ready', () => {
    expect(seen.http).toMatchObject(health);
  });

  it.each(['json', 'binary', 'binaryAnswer'])(
    'gets the answers of scikit-learn, and its id back: %s',
    (way) => {
      expect(seen.http[way]).toMatchObject({ id: 'row 7', model: 'tumour' });
      expectReference(seen.http[way]);
    },
  );

  it.each([
    ['unknownInput', 400, "tensor 'Y' is no input of the model; expected 'X'"],
    ['unknownModel', 404, "model 'other' is not served here; expected 'tumour'"],
  ])('is told what is wrong: %s is %i', (what, status, words) => {
    expect(seen.http[what]).toEqual({ status, message: expect.stringContaining(words) as string });
  });
});

describe("gRPC's reflection for Python", () => {
  it('finds the services, and asks one by messages that nobody has compiled', () => {
    const { services, ...rest } = seen.reflection;
    expect(services).toEqual(
      expect.arrayContaining(['grpc.health.v1.Health', 'inference.GRPCInferenceService']),
    );
    expect(rest.methods).toEqual(expect.arrayContaining(['ModelInfer', 'ModelReady', 'ServerLive']));
    expect(rest).toMatchObject({ modelReady: true });
  });
});
