import { describe, expect, it } from 'vitest';
import { RestorationDetector } from '../../../operator/controller/restoration.ts';

function detector(): RestorationDetector {
  return new RestorationDetector({ restoredAfterMs: 1000, restoredAfterLists: 3 });
}

describe('the detector of restorations', () => {
  it('goes onwards with every list that is as new as what is known', () => {
    const { judge } = bound(detector());
    expect([judge('10', '10', 0), judge('11', '10', 1)]).toEqual(['onwards', 'onwards']);
  });

  it('does not believe older lists until they have been so for long and often', () => {
    const { judge } = bound(detector());
    expect([judge('9', '10', 0), judge('9', '10', 999), judge('9', '10', 1000)]).toEqual([
      'behind',
      'behind',
      'restored',
    ]);
  });

  it('does not believe two lists, however long they are apart', () => {
    const { judge } = bound(detector());
    expect([judge('9', '10', 0), judge('9', '10', 3_600_000)]).toEqual(['behind', 'behind']);
  });

  it('counts anew after one list that was new enough: some server only lagged', () => {
    const { judge } = bound(detector());
    expect([judge('9', '10', 0), judge('9', '10', 999), judge('12', '10', 1000)]).toEqual([
      'behind',
      'behind',
      'onwards',
    ]);
    expect([judge('9', '12', 2000), judge('9', '12', 2500)]).toEqual(['behind', 'behind']);
  });

  it('finds a second restoration after the first', () => {
    const { judge } = bound(detector());
    const twice = [0, 500, 1000, 1100, 1600, 2100].map((nowMs) => judge('9', '10', nowMs));
    expect(twice).toEqual(['behind', 'behind', 'restored', 'behind', 'behind', 'restored']);
  });
});

function bound(of: RestorationDetector): { judge: RestorationDetector['judge'] } {
  return { judge: (...args) => of.judge(...args) };
}
