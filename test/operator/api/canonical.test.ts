import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, shortHash } from '../../../operator/api/canonical.ts';

describe('canonical JSON', () => {
  test('does not depend on the order in which members were written', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  });

  test('knows no difference between a member that is undefined and none', () => {
    expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
  });

  test('keeps the order of lists, which means something', () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });

  test('says the same as JSON, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('is equal for any value and the same one with its members turned around', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
      }),
    );
  });
});

describe('a short hash', () => {
  test('is the same today as on the day on which the first revision was named by it', () => {
    // Another answer would roll every pod of every user at the next upgrade of the operator.
    expect(shortHash({ model: { uri: 'https://models.example.com/fraud/3/model.onnx' } })).toBe('thfz29wfsq');
  });

  test('is ten characters without vowels, and without those that people mix up, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(shortHash(value)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
      }),
    );
  });

  test('differs for values that differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        fc.pre(canonicalJson(left) !== canonicalJson(right));
        expect(shortHash(left)).not.toBe(shortHash(right));
      }),
    );
  });
});
