import type { TSchema } from 'typebox';
import type { Rule } from './schema.ts';

/** A schema as CustomResourceDefinitions want it. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

type Node = Readonly<Record<string, unknown>>;
type Convert = (value: unknown, node: Node) => StructuralSchema;

const RULES = 'x-kubernetes-validations';

const asItIs = (keyword: string): [string, Convert] => [keyword, (value) => ({ [keyword]: value })];
const leftOut = (keyword: string): [string, Convert] => [keyword, () => ({})];

/** What becomes of every keyword that the schema uses; one that is not here is a fault of ours, never dropped. */
const keywords: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  asItIs('type'),
  ['description', (description, node) => ({ description: explained(String(description), node) })],
  asItIs('format'),
  asItIs('default'),
  ['enum', (values) => ({ type: 'string', enum: values })],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties'].map(asItIs),
  ['properties', (properties) => ({ properties: converted(properties as Record<string, Node>) })],
  ['required', (names, node) => required(names as readonly string[], node)],
  ['items', (items) => ({ items: structural(items as Node) })],
  ['additionalProperties', (schema) => ({ additionalProperties: structural(schema as Node) })],
  ['x-kubernetes-preserve-unknown-fields', (value) => ({ 'x-kubernetes-preserve-unknown-fields': value })],
  asItIs('x-kubernetes-int-or-string'),
  asItIs('x-kubernetes-list-type'),
  asItIs('x-kubernetes-list-map-keys'),
  // These two become rules; see rulesOf.
  leftOut('pattern'),
  leftOut(RULES),
  // For people and for the offline check.
  leftOut('patternMessage'),
  leftOut('example'),
  // The two alternatives of x-kubernetes-int-or-string, which says the same.
  leftOut('anyOf'),
]);

/** The schema without what the API server does not know, and with its patterns as rules that answer in sentences. */
export function structural(schema: TSchema | Node): StructuralSchema {
  const node = schema as Node;
  const parts = Object.entries(node).map(([keyword, value]) => {
    const convert = keywords.get(keyword);
    if (convert === undefined) throw new TypeError(`no CustomResourceDefinition knows '${keyword}'`);
    return convert(value, node);
  });
  const rules = rulesOf(node);
  return Object.assign({}, ...parts, rules.length === 0 ? {} : { [RULES]: rules }) as StructuralSchema;
}

function converted(properties: Readonly<Record<string, Node>>): Record<string, StructuralSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, structural(schema)]));
}

/** `kubectl explain` prints nothing of a field but its type and its description, so that has to hold the rest too. */
function explained(description: string, { default: usual, example, properties }: Node): string {
  if (properties !== undefined) return description;
  const known = [
    ...(usual === undefined ? [] : [`Default: ${written(usual)}.`]),
    ...(example === undefined
      ? []
      : [...(usual === undefined ? ['No default.'] : []), `Example: ${written(example)}.`]),
  ];
  return [description, ...known].join(' ');
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Clients that do not ask the API server may not demand what it fills in by default. */
function required(names: readonly string[], { properties }: Node): StructuralSchema {
  const fields = properties as Readonly<Record<string, Node>>;
  const demanded = names.filter((name) => fields[name]?.['default'] === undefined);
  return demanded.length === 0 ? {} : { required: demanded };
}

/** The form first: later rules may take it for granted that people have read about it. */
function rulesOf(node: Node): readonly Rule[] {
  const { pattern, patternMessage } = node;
  const written = (node[RULES] ?? []) as readonly Rule[];
  if (pattern === undefined) return written;
  if (typeof pattern !== 'string' || typeof patternMessage !== 'string') {
    throw new TypeError(`the pattern ${JSON.stringify(pattern)} has no patternMessage`);
  }
  const subject = node['x-kubernetes-int-or-string'] === true ? 'string(self)' : 'self';
  return [{ rule: `${subject}.matches(${literal(pattern)})`, message: patternMessage }, ...written];
}

/** CEL's raw string; the patterns of the schema hold no quotes. */
function literal(pattern: string): string {
  if (pattern.includes("'")) throw new TypeError(`the pattern ${pattern} holds a quote`);
  return `r'${pattern}'`;
}
