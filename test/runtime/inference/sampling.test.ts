import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSampled } from '../../../runtime/inference/sampling.ts';

describe('the sample of requests', () => {
  it.each([
    ['random ids', () => randomUUID()],
    ['ids that count up', (number: number) => `request-${number}`],
    ['bare numbers', (number: number) => String(number)],
  ])('has the share that was asked for, of %s', (_name, idOf) => {
    const ids = Array.from({ length: 20_000 }, (_, number) => idOf(number));
    for (const share of [0.01, 0.1, 0.5]) {
      const found = ids.filter((id) => isSampled(id, share)).length / ids.length;
      expect(Math.abs(found - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / ids.length));
    }
  });

  it('is none at 0 and all at 1, and a larger share has all of a smaller one', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (id, share) => {
        expect(isSampled(id, 0)).toBe(false);
        expect(isSampled(id, 1)).toBe(true);
        if (isSampled(id, share)) expect(isSampled(id, Math.min(1, share * 1.5))).toBe(true);
      }),
    );
  });
});
