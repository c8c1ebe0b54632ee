import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner } from '../../../runtime/tensor/json-scanner.ts';

function isAccepted(text: string, read: (scanner: JsonScanner) => void): boolean {
  const scanner = new JsonScanner(Buffer.from(text));
  try {
    read(scanner);
    scanner.readEnd();
    return true;
  } catch {
    return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts that are nearly JSON: a valid one with one piece cut out and another put in. */
const nearlyJson = fc
  .record({
    text: fc.json({ maxDepth: 3 }),
    at: fc.nat(),
    cut: fc.nat({ max: 3 }),
    put: fc.constantFrom(
      '',
      '"',
      '\\',
      '\\u00e',
      ',',
      ':',
      '[',
      ']',
      '{',
      '}',
      '-',
      '.',
      '0',
      '1e',
      ' ',
      '\t',
      '\0',
    ),
  })
  .map(({ text, at, cut, put }) => {
    const position = at % (text.length + 1);
    return text.slice(0, position) + put + text.slice(position + cut);
  });

describe('the JSON scanner', () => {
  it('accepts exactly the texts that JSON.parse accepts', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect(isAccepted(text, (scanner) => scanner.skipValue())).toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('reads every string as JSON.parse does, escapes and all', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xff_ff })), fc.boolean(), (units, escapeAll) => {
        const text = String.fromCharCode(...units);
        const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
        const json = escapeAll ? `"${escaped}"` : JSON.stringify(text);
        expect(new JsonScanner(Buffer.from(json)).readString('a string')).toBe(text);
      }),
    );
  });

  it.each(['01', '-', '1.', '.5', '+1', '1e', '1e+', '0x1', '1_000', '--1'])(
    'takes %s for no number, as RFC 8259 does',
    (text) => {
      expect(isAccepted(text, (scanner) => void scanner.readNumber('a number'))).toBe(false);
    },
  );

  it('ends a text of a million opening brackets with a refusal, not with the stack', () => {
    expect(() => new JsonScanner(Buffer.from('['.repeat(1_000_000))).skipValue()).toThrow(
      /at most 64 levels of nesting/,
    );
  });

  it('says what it expected, where, and what stood there', () => {
    const scanner = new JsonScanner(Buffer.from('{"a" 1}'));
    expect(() => scanner.skipValue()).toThrow(`expected ':' at byte 5, got '1}'`);
  });
});
