import type { Rule } from '../api/schema.ts';
import type { StructuralSchema } from '../api/structural.ts';
import { messageOf } from '../controller/errors.ts';
import { holds } from './cel.ts';
import type { Path, Problem } from './problem.ts';

interface Node {
  readonly schema: StructuralSchema;
  readonly value: unknown;
  readonly path: Path;
}

/** What the CEL rules of a schema say of a value; `isSound` tells which parts have the shape that rules take for granted. */
export function ruleProblems(
  schema: StructuralSchema,
  value: unknown,
  isSound: (path: Path) => boolean,
): readonly Problem[] {
  return problemsOf({ schema, value, path: [] }, isSound);
}

function problemsOf(node: Node, isSound: (path: Path) => boolean): readonly Problem[] {
  const inner = partsOf(node).flatMap((part) => problemsOf(part, isSound));
  return isSound(node.path) ? [...inner, ...brokenRules(node)] : inner;
}

function brokenRules({ schema, value, path }: Node): readonly Problem[] {
  const rules = (schema['x-kubernetes-validations'] ?? []) as readonly Rule[];
  const self = celValue(schema, value);
  return rules.filter(isOfOneVersion).flatMap(({ rule, message }) => {
    try {
      return holds(rule, self) ? [] : [{ path, message }];
    } catch (error) {
      return [{ path, message: `the rule ${rule} cannot be evaluated: ${messageOf(error)}` }];
    }
  });
}

/** A file holds no older version that a rule could compare it with. */
function isOfOneVersion({ rule }: Rule): boolean {
  return !rule.includes('oldSelf');
}

/** The members of a value that the schema knows. */
function partsOf({ schema, value, path }: Node): readonly Node[] {
  const { properties, items, additionalProperties } = schema as Parts;
  if (Array.isArray(value)) {
    if (items === undefined) return [];
    return value.map((entry: unknown, index) => ({ schema: items, value: entry, path: [...path, index] }));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const field = properties?.[name] ?? additionalProperties;
    return field === undefined ? [] : [{ schema: field, value: member, path: [...path, name] }];
  });
}

interface Parts {
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
}

/** As rules see it: whole numbers are CEL's int, and names of fields have no dashes. */
function celValue(schema: StructuralSchema, value: unknown): unknown {
  const { properties, items, additionalProperties } = schema as Parts;
  if (typeof value === 'number') return schema['type'] === 'number' ? value : wholeNumber(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => celValue(items ?? {}, entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      properties?.[name] === undefined ? name : name.replaceAll('-', '__dash__'),
      celValue(properties?.[name] ?? additionalProperties ?? {}, member),
    ]),
  );
}

function wholeNumber(value: number): bigint | number {
  return Number.isInteger(value) ? BigInt(value) : value;
}
