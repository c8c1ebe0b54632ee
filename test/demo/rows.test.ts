import { describe, expect, it } from 'vitest';
import { headerAbove, passesThrough, RowReader } from './rows.ts';

const header =
  'NAME        PHASE         REASON          STRATEGY   STEP   WEIGHT   STABLE   CANDIDATE   READY   AGE';
const rolling =
  'diagnosis   Progressing   StepCompleted   Canary     2/7    25%      d-1      d-2         3/3     8s';
const rollingLater = rolling.replace('8s', '9s');
const healthy =
  'diagnosis   Healthy       Promoted        Canary                     d-2                  2/2     20s';
const unborn =
  'diagnosis                                   Canary                                                   0s';

describe('the rows of kubectl get -w', () => {
  it('are read across chunks that end in the middle of a line', () => {
    const reader = new RowReader();
    expect(reader.read(`${header}\n${rolling.slice(0, 20)}`)).toEqual([]);
    expect(reader.read(`${rolling.slice(20)}\n`)).toEqual([
      { text: rolling, phase: 'Progressing', weight: 25 },
    ]);
  });

  it('leave out a line that differs from the last one in its age alone', () => {
    const rows = new RowReader().read(`${header}\n${rolling}\n${rollingLater}\n${healthy}\n`);
    expect(rows.map(({ text }) => text)).toEqual([rolling, healthy]);
  });

  it('come after a header, which is kept', () => {
    const reader = new RowReader();
    reader.read(`${header}\n${rolling}\n`);
    expect(reader.header).toBe(header);
  });

  it('have no weight and no phase while kubectl shows none', () => {
    expect(new RowReader().read(`${unborn}\n${healthy}\n`)).toEqual([
      { text: unborn, phase: '', weight: undefined },
      { text: healthy, phase: 'Healthy', weight: undefined },
    ]);
  });
});

describe('the header', () => {
  it('stands above the cells of a row whose columns have widened', () => {
    const above = headerAbove('NAME   PHASE     STEP', 'diagnosis   Progressing   2/7');
    expect(above).toBe('NAME        PHASE         STEP');
  });

  it('stays as it is above a row with an empty cell, which does not show where its columns are', () => {
    expect(headerAbove('NAME   PHASE     STEP', 'diagnosis   Healthy')).toBe('NAME   PHASE     STEP');
  });
});

describe('the weights of a rollout', () => {
  const rowsOf = (...weights: (number | undefined)[]) =>
    weights.map((weight) => ({ text: '', phase: '', weight }));

  it('pass through every step in order, with anything in between', () => {
    expect(passesThrough(rowsOf(undefined, 0, 5, 5, 25, 50, 100, undefined), [5, 25, 50, 100])).toBe(true);
  });

  it.each([
    ['one is missing', rowsOf(5, 25, 100)],
    ['the order is another one', rowsOf(25, 5, 50, 100)],
    ['nothing came', rowsOf()],
  ])('do not pass through them when %s', (_, rows) => {
    expect(passesThrough(rows, [5, 25, 50, 100])).toBe(false);
  });
});
