/** What the schema says of one value, as far as values are made from it. */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

/** A value that holds no others of the schema. */
export interface Leaf {
  /** As in messages: `traffic.hosts[]`. */
  readonly path: string;
  readonly schema: SchemaNode;
}

export function leavesOf(schema: SchemaNode, path = ''): readonly Leaf[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, child]) =>
      leavesOf(child, path === '' ? name : `${path}.${name}`),
    );
  }
  return schema.items === undefined ? [{ path, schema }] : leavesOf(schema.items, `${path}[]`);
}

type Node = Readonly<Record<string, unknown>>;

/** `base` with one leaf set: what lies on the way is made, as small as the schema allows it beside the leaf. */
export function withLeaf(base: unknown, root: SchemaNode, path: string, value: unknown): unknown {
  return placed(base, root, path.replaceAll('[]', '.[]').split('.'), value);
}

function placed(base: unknown, schema: SchemaNode, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step === '[]') {
    const [first, ...others] = Array.isArray(base) ? (base as readonly unknown[]) : [];
    return [placed(first, schema.items ?? {}, rest, value), ...others];
  }
  const given = (base ?? {}) as Node;
  const child = schema.properties?.[step] ?? {};
  const required = (schema.required ?? []).filter((name) => name !== step && given[name] === undefined);
  const siblings = required.map((name) => [name, smallest(schema.properties?.[name] ?? {})] as const);
  return { ...Object.fromEntries(siblings), ...given, [step]: placed(given[step], child, rest, value) };
}

/** What a person would write for a value that is demanded and does not matter. */
export function smallest(schema: SchemaNode): unknown {
  const given = schema.default ?? schema.example ?? schema.enum?.[0];
  return given === undefined ? smallestOfType(schema) : given;
}

function smallestOfType({ type, minimum, items, properties, required }: SchemaNode): unknown {
  if (type === 'integer') return minimum ?? 0;
  if (type === 'boolean') return true;
  if (type === 'array') return [smallest(items ?? {})];
  if (type !== 'object') return 'some';
  return Object.fromEntries((required ?? []).map((name) => [name, smallest(properties?.[name] ?? {})]));
}
