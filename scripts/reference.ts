import { modelDeploymentSchema } from '../operator/api/model-deployment.ts';
import { rolloutDecisionSchema } from '../operator/api/rollout-decision.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** The page that tells of every field, from the schema itself. */
export function buildReference(): string {
  const { spec, status } = modelDeploymentSchema.properties;
  return [
    '# Reference: ModelDeployment',
    '<!-- Written by scripts/generate.ts from the schema in operator/api; change it there. -->',
    ...rulesOf({ ...modelDeploymentSchema }),
    '`apiVersion: headgate.dev/v1alpha1`, `kind: ModelDeployment`, short name `mdep`.',
    'The API server fills in defaults when the object is written and refuses what breaks a rule, with the field and what to write instead. Everything under `spec` is for you; everything under `status` is written by Headgate alone. Durations are texts such as `100ms`, `30s`, `10m` or `1h30m`.',
    ...chapters('spec', { ...spec }),
    ...chapters('status', { ...status }),
    '# Reference: RolloutDecision',
    '`apiVersion: headgate.dev/v1alpha1`, `kind: RolloutDecision`, short name `rdec`. What each action does and how to decide is told in [deciding.md](deciding.md).',
    ...chapters('RolloutDecision spec', { ...rolloutDecisionSchema.properties.spec }),
    ...chapters('RolloutDecision status', { ...rolloutDecisionSchema.properties.status }),
    '',
  ].join('\n\n');
}

/** One chapter per object, the fields of an object in one table. */
function chapters(path: string, schema: Schema): string[] {
  const fields = fieldsOf(schema);
  return [
    `## ${path}`,
    String(schema['description']),
    ...rulesOf(schema),
    table(fields),
    ...fields.flatMap(({ name, schema: field }) => {
      const inner = elementOf(field);
      return inner['properties'] === undefined
        ? []
        : chapters(`${path}.${name}${inner === field ? '' : '[]'}`, inner);
    }),
  ];
}

function fieldsOf({ properties, required }: Schema): readonly Field[] {
  return Object.entries(properties as Readonly<Record<string, Schema>>).map(([name, schema]) => ({
    name,
    schema,
    isRequired: ((required ?? []) as readonly string[]).includes(name) && schema['default'] === undefined,
  }));
}

function rulesOf(schema: Schema): string[] {
  const rules = messagesOf(schema);
  return rules.length === 0 ? [] : [rules.map((message) => `- ${message}`).join('\n')];
}

function messagesOf(schema: Schema): readonly string[] {
  const rules = (schema['x-kubernetes-validations'] ?? []) as readonly { readonly message: string }[];
  const form = schema['patternMessage'] as string | undefined;
  return [...(form === undefined ? [] : [form]), ...rules.map(({ message }) => message)];
}

function table(fields: readonly Field[]): string {
  return [
    '| Field | Type | Default | Example | Meaning |',
    '|---|---|---|---|---|',
    ...fields.map(({ name, schema, isRequired }) =>
      row([
        `\`${name}\`${isRequired ? ' (required)' : ''}`,
        typeOf(schema),
        code(schema['default']),
        code(schema['example']),
        meaningOf(schema),
      ]),
    ),
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** The rules of an object stand in its own chapter, those of a list's entries with the list. */
function meaningOf(schema: Schema): string {
  const inner = elementOf(schema);
  const own = inner === schema ? [schema] : [schema, inner];
  const rules = own.filter(({ properties }) => properties === undefined).flatMap(messagesOf);
  return [String(schema['description']), ...rules].join('<br>');
}

function typeOf(schema: Schema): string {
  const { type, items, additionalProperties } = schema;
  if (schema['x-kubernetes-int-or-string'] === true) return 'quantity';
  if (schema['enum'] !== undefined) return (schema['enum'] as readonly string[]).map(code).join(', ');
  if (items !== undefined) return `list of ${typeOf(items as Schema)}${bounds(schema)}`;
  if (additionalProperties !== undefined) return 'map of strings';
  return `${typeof type === 'string' ? type : 'any'}${bounds(schema)}`;
}

const boundWords = [
  ['minimum', 'maximum', ''],
  ['minItems', 'maxItems', ' entries'],
  ['minLength', 'maxLength', ' characters'],
] as const;

function bounds(schema: Schema): string {
  return boundWords
    .flatMap(([least, most, unit]) => {
      const [from, to] = [schema[least], schema[most]] as (number | undefined)[];
      if (to === undefined) return from === undefined ? [] : [`, at least ${from}${unit}`];
      return [from === undefined ? `, at most ${to}${unit}` : `, ${from} to ${to}${unit}`];
    })
    .join('');
}

function elementOf(schema: Schema): Schema {
  return (schema['items'] as Schema | undefined) ?? schema;
}

function code(value: unknown): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
