import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventServer } from '../../support/event-server.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
let collector: EventServer;

beforeEach(async () => {
  collector = await EventServer.start();
});
afterEach(async () => {
  await runtime.stop();
  await collector.stop();
});

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly unknown[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

function exported(): Export[] {
  return collector.received.map(({ body }) => JSON.parse(body) as Export);
}

function spans(): ReceivedSpan[] {
  return exported().flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
  );
}

const traceId = '0af7651916cd43dd8448eb211c80319c';

function ask(flags?: string): ReturnType<RuntimeProcess['infer']> {
  const headers: Record<string, string> =
    flags === undefined
      ? {}
      : { traceparent: `00-${traceId}-b7ad6b7169203331-${flags}`, tracestate: 'vendor=1' };
  return runtime.infer(sampleRequest, { headers });
}

async function counter(name: string): Promise<number> {
  const { text } = await runtime.askManagement('/metrics');
  return [...text.matchAll(new RegExp(`^${name}\\{.*\\} (.*)$`, 'gmu'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

describe('traces', { timeout: 60_000 }, () => {
  it("go to the collector as a part of the sender's trace, with a span for each stage", async () => {
    runtime = await RuntimeProcess.start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
      OTEL_SERVICE_NAME: 'fraud',
    });
    const before = Date.now();
    await ask('01');
    await runtime.until('done with the spans', () => spans().length === 5);
    expect(collector.received[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'content-type': 'application/json', authorization: 'Bearer abc' },
    });
    expect(exported()[0]?.resourceSpans[0]?.resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'fraud' } },
    ]);
    const [request, ...stages] = spans();
    expect(request).toMatchObject({
      name: 'infer',
      traceId,
      parentSpanId: 'b7ad6b7169203331',
      traceState: 'vendor=1',
    });
    expect(stages.map(({ name }) => name)).toEqual(['parse', 'queue', 'compute', 'serialise']);
    expect(new Set(stages.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([request?.spanId]));
    expect(Math.abs(Number(request?.startTimeUnixNano) / 1e6 - before)).toBeLessThan(5000);
  });

  it("follow the sender's choice, and begin a trace for who has none", async () => {
    runtime = await RuntimeProcess.start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await ask('00');
    await ask();
    await runtime.until('done with the second', () => spans().length > 0);
    expect(new Set(spans().map((span) => span.traceId)).size).toBe(1);
    expect(spans()[0]?.traceId).not.toBe(traceId);
    expect(spans()[0]?.traceId).toMatch(/^[0-9a-f]{32}$/u);
    expect(spans()[0]).not.toHaveProperty('parentSpanId');
  });

  it.each(['hang', 'refuse'] as const)(
    'cost no answer when the collector is there only to %s',
    async (reply) => {
      collector.reply = reply;
      runtime = await RuntimeProcess.start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
      const askMany = async (): Promise<number[]> => {
        const statuses: number[] = [];
        for (let count = 0; count < 300; count++) statuses.push((await ask('01')).status);
        return statuses;
      };
      const statuses = await Promise.all(Array.from({ length: 8 }, askMany));
      expect(new Set(statuses.flat())).toEqual(new Set([200]));
      expect(await counter('headgate_traces_exported_total')).toBe(0);
      // Of 2400 requests, no more than 2048 and what is on its way can be waiting.
      expect(await counter('headgate_traces_dropped_total')).toBeGreaterThan(0);
      runtime.kill('SIGTERM');
      expect(await runtime.exitCode()).toBe(0);
    },
  );
});
