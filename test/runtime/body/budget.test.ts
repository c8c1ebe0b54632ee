import { describe, expect, it } from 'vitest';
import { BodyBudget, shareOfMemory } from '../../../runtime/body/budget.ts';

const MEBIBYTE = 2 ** 20;

describe('the memory of request bodies', () => {
  it.each([
    [100, 4],
    [152, 4],
    [512, 64],
    [1664, 256],
    [65_536, 256],
  ])('in a container of %d MiB is %d MiB', (container, share) => {
    expect(shareOfMemory(container * MEBIBYTE)).toBe(share * MEBIBYTE);
  });

  it('is bounded without a limit of the container too', () => {
    expect(shareOfMemory(0)).toBe(256 * MEBIBYTE);
    expect(shareOfMemory(2 ** 64)).toBe(256 * MEBIBYTE);
  });

  it('is full at its last byte, and free again when a request has been answered', () => {
    const budget = new BodyBudget(60, 100);
    budget.reserve(60);
    budget.reserve(40);
    expect(() => budget.reserve(1)).toThrow('the bodies of the waiting requests fill their memory');
    budget.release(40);
    expect(() => budget.reserve(40)).not.toThrow();
  });

  it('refuses one body that is too large however much is free', () => {
    expect(() => new BodyBudget(60, 100).checkSize(60)).not.toThrow();
    expect(() => new BodyBudget(60, 100).checkSize(61)).toThrow('expected at most 60 bytes, got 61');
  });

  it('calls a body too large that could never fit, instead of asking for another try', () => {
    expect(() => new BodyBudget(100, 60).checkSize(61)).toThrow('expected at most 60 bytes, got 61');
  });
});
