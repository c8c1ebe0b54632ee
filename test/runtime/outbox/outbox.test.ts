import { describe, expect, it } from 'vitest';
import { LossError, Outbox, type OutboxOptions, type Sink } from '../../../runtime/outbox/outbox.ts';

class ScriptedSink implements Sink<string> {
  readonly taken: string[][] = [];
  isClosed = false;
  failure: Error | undefined;
  #holder: PromiseWithResolvers | undefined;

  hang(): void {
    let resolve = (): void => undefined;
    const promise = new Promise<void>((settle) => (resolve = settle));
    this.#holder = { promise, resolve };
  }

  goOn(): void {
    this.#holder?.resolve();
    this.#holder = undefined;
  }

  async write(items: readonly string[]): Promise<void> {
    this.taken.push([...items]);
    await this.#holder?.promise;
    if (this.failure !== undefined) throw this.failure;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function build(options: Partial<OutboxOptions<string>> = {}): {
  sink: ScriptedSink;
  outbox: Outbox<string>;
  failures: [string, number][];
} {
  const sink = new ScriptedSink();
  const failures: [string, number][] = [];
  const outbox = new Outbox<string>({
    sink,
    maxItems: 3,
    maxBytes: 1000,
    bytesOf: (item) => item.length,
    batchSize: 2,
    onFailure: ({ message }, lost) => failures.push([message, lost]),
    ...options,
  });
  return { sink, outbox, failures };
}

describe('an outbox', () => {
  it('hands on what it was given, in order and in batches', async () => {
    const { sink, outbox } = build();
    for (const item of ['a', 'b', 'c']) outbox.put(item);
    expect(sink.taken).toEqual([]);
    await outbox.flush();
    expect(sink.taken).toEqual([['a', 'b'], ['c']]);
    expect(outbox.counts).toEqual({ written: 3, droppedFull: 0, droppedBySink: 0 });
  });

  it('drops and counts what a hanging sink leaves no room for, and never waits', async () => {
    const { sink, outbox } = build();
    sink.hang();
    outbox.put('first');
    await new Promise(setImmediate);
    for (let count = 0; count < 10; count++) outbox.put('more');
    expect(outbox.counts).toEqual({ written: 0, droppedFull: 7, droppedBySink: 0 });
    sink.goOn();
    await outbox.flush();
    expect(outbox.counts).toEqual({ written: 4, droppedFull: 7, droppedBySink: 0 });
    outbox.put('there is room again');
    await outbox.flush();
    expect(outbox.counts.written).toBe(5);
  });

  it('is bounded in bytes too, and gives them back', async () => {
    const { outbox } = build({ maxBytes: 10 });
    outbox.put('123456');
    outbox.put('12345');
    expect(outbox.counts.droppedFull).toBe(1);
    await outbox.flush();
    outbox.put('1234567890');
    expect(outbox.counts.droppedFull).toBe(1);
    await outbox.flush();
    expect(outbox.counts.written).toBe(2);
  });

  it('counts what its sink loses, some or all of a batch, and goes on', async () => {
    const { sink, outbox, failures } = build();
    sink.failure = new Error('no space');
    for (const item of ['a', 'b']) outbox.put(item);
    await outbox.flush();
    sink.failure = new LossError('one was refused', 1);
    for (const item of ['c', 'd']) outbox.put(item);
    await outbox.flush();
    expect(outbox.counts).toEqual({ written: 1, droppedFull: 0, droppedBySink: 3 });
    expect(failures).toEqual([
      ['no space', 2],
      ['one was refused', 1],
    ]);
  });

  it('ends when the rest is written, and no later than its limit where the sink hangs', async () => {
    const good = build();
    good.outbox.put('a');
    await good.outbox.close(60_000);
    expect([good.sink.taken, good.sink.isClosed]).toEqual([[['a']], true]);
    const bad = build();
    bad.sink.hang();
    bad.outbox.put('a');
    await bad.outbox.close(10);
    expect(bad.sink.isClosed).toBe(false);
  });
});
