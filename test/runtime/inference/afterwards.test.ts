import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Afterwards } from '../../../runtime/inference/afterwards.ts';

function build(): { afterwards: Afterwards; done: string[]; task: (name: string) => () => void } {
  const done: string[] = [];
  return { afterwards: new Afterwards(), done, task: (name) => () => void done.push(name) };
}

describe('what is done afterwards', () => {
  it('waits for the end of this turn of the event loop, or of the next one', async () => {
    const { afterwards, done, task } = build();
    afterwards.add(2, task('next turn'));
    afterwards.add(1, task('this turn'));
    await Promise.resolve();
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['this turn']);
    await turn();
    expect(done).toEqual(['this turn', 'next turn']);
  });

  it('is done in the order in which it was left to do', async () => {
    const { afterwards, done, task } = build();
    for (const name of ['first', 'second', 'third']) afterwards.add(1, task(name));
    await turn();
    expect(done).toEqual(['first', 'second', 'third']);
  });

  it('may leave more to do', async () => {
    const { afterwards, done, task } = build();
    afterwards.add(1, () => afterwards.add(1, task('more')));
    await turn();
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['more']);
  });

  it('is done at once when it must be finished, and only once', async () => {
    const { afterwards, done, task } = build();
    afterwards.add(2, task('next turn'));
    afterwards.add(1, task('this turn'));
    afterwards.add(1, () => afterwards.add(2, task('more')));
    afterwards.finish();
    expect(done).toEqual(['this turn', 'next turn', 'more']);
    await turn();
    await turn();
    expect(done).toHaveLength(3);
  });
});
