import { Environment } from '@marcbachmann/cel-js';
import { compareQuantities, isQuantity } from '../resources/quantity.ts';

class Quantity {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** CEL with the functions of an API server that our rules use: https://kubernetes.io/docs/reference/using-api/cel/ */
const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  .registerType('Quantity', { ctor: Quantity, fields: {} })
  .registerFunction('isQuantity(string): bool', (text: string) => isQuantity(text))
  .registerFunction('quantity(string): Quantity', (text: string) => new Quantity(text))
  .registerFunction('Quantity.compareTo(Quantity): int', (left: Quantity, right: Quantity) =>
    BigInt(compareQuantities(left.text, right.text)),
  )
  .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text))
  .registerFunction('list.isSorted(): bool', (list: readonly bigint[]) =>
    list.every((entry, index) => index === 0 || (list[index - 1] ?? entry) <= entry),
  );

type Evaluate = (variables: { readonly self: unknown }) => unknown;

const compiled = new Map<string, Evaluate>();

/** Whether a rule holds; throws where an API server would fail to evaluate it. */
export function holds(rule: string, self: unknown): boolean {
  const evaluate = compiled.get(rule) ?? (environment.parse(rule) as Evaluate);
  compiled.set(rule, evaluate);
  return evaluate({ self }) === true;
}
