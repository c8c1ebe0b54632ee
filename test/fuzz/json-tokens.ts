import type { Dice } from '../support/dice.ts';

/** What a client could write where something else belongs; all of JSON's words, and what only looks like one. */
const dictionary = [
  ...['{', '}', '[', ']', ',', ':', '', ' ', '\n', '"', '\\'],
  ...['null', 'true', 'false', 'NaN', 'Infinity', '-Infinity', 'nul', 'undefined'],
  ...['0', '-0', '1', '-1', '1.5', '1e5', '1e999', '-1e-999', '01', '1.', '.5', '+1', '0x10', '1e', '--1'],
  ...['2147483647', '2147483648', '4294967296', '9007199254740993', '9223372036854775807'],
  ...['9223372036854775808', '18446744073709551616', '9'.repeat(400), `0.${'3'.repeat(400)}`],
  ...['"X"', '"Y"', '""', '"name"', '"shape"', '"datatype"', '"data"', '"inputs"', '"outputs"', '"id"'],
  ...['"parameters"', '"binary_data_size"', '"binary_data_output"', '"binary_data"', '"classification"'],
  ...['"timeout"', '"priority"', '"readable"', '"label"', '"probabilities"', '"__proto__"', '"constructor"'],
  ...[
    '"FP32"',
    '"FP16"',
    '"BF16"',
    '"FP64"',
    '"INT64"',
    '"BYTES"',
    '"BOOL"',
    '"UINT8"',
    '"STRING"',
    '"fp32"',
  ],
  ...['"\\u0000"', '"\\ud800"', '"\\uD83D\\uDE00"', '"\\x"', '"\u0007"', '"é"', '"\u{1F600}"', '"a\\"b"'],
  ...[
    '[]',
    '{}',
    '[[]]',
    '[0,30]',
    '[1,-30]',
    '[1,30.0]',
    '[30]',
    '[1,1,30]',
    '[2147483647,30]',
    '[[1],[30]]',
  ],
  ...['{"binary_data_size":4}', '{"binary_data_size":-1}', '{"binary_data_size":1e300}', '[1,2'],
  '['.repeat(200),
  '{"a":'.repeat(100),
];

const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|[a-zA-Z]+|\s+|./gsu;

/** Takes a valid request apart into tokens and puts it together again with some of them changed. */
export class JsonMutator {
  readonly #tokens: readonly string[];
  readonly #dice: Dice;

  constructor(text: string, dice: Dice) {
    this.#tokens = text.match(TOKEN) ?? [];
    this.#dice = dice;
  }

  /** One to four changes. */
  mutate(): string {
    const tokens = [...this.#tokens];
    for (let left = 1 + this.#dice.below(4); left > 0; left -= 1) this.#change(tokens);
    return tokens.join('');
  }

  #change(tokens: string[]): void {
    const dice = this.#dice;
    const at = dice.below(tokens.length);
    const other = dice.below(tokens.length);
    const word = dice.pick(dictionary) ?? '';
    const changes = [
      () => tokens.splice(at, 1),
      () => tokens.splice(at, 1, word),
      () => tokens.splice(at, 0, word),
      () => tokens.splice(at, 0, tokens[other] ?? ''),
      () => tokens.splice(at, 1, tokens[other] ?? ''),
      () => tokens.splice(at, 1 + dice.below(12)),
      () => tokens.splice(at, 0, ...tokens.slice(other, other + dice.below(12))),
      () => tokens.splice(at),
    ];
    dice.pick(changes)?.();
  }
}
