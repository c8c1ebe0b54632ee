import { Ajv, type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from 'ajv';
import type { StructuralSchema } from '../api/structural.ts';
import type { Path, Problem } from './problem.ts';

type Fill = (value: unknown) => readonly Problem[];

/**
 * A check of types, bounds and unknown fields as an API server makes it before it looks at any rule. As the API server
 * does, it fills in the defaults: the value that it is given is changed.
 */
export function structureCheck(schema: StructuralSchema): Fill {
  const validate = validator().compile(closed(schema));
  return (value) => {
    validate(value);
    return problemsOf(validate);
  };
}

function validator(): Ajv {
  const ajv = new Ajv({
    ...{ allErrors: true, useDefaults: true, verbose: true },
    // Kubernetes' own keywords and formats; what they demand is checked below or by rules.
    ...{ strict: false, validateFormats: false },
  });
  ajv.addKeyword({ keyword: 'x-kubernetes-int-or-string', validate: isWholeNumberOrText });
  ajv.addKeyword({ keyword: 'x-kubernetes-list-map-keys', validate: hasDistinctKeys });
  ajv.addKeyword({ keyword: 'x-kubernetes-list-type', validate: hasDistinctEntries });
  return ajv;
}

function isWholeNumberOrText(_holds: unknown, value: unknown): boolean {
  return typeof value === 'string' || Number.isInteger(value);
}

/** Tells which entry is the second of its kind. */
const hasDistinctEntries: SchemaValidateFunction = (listType: unknown, value: unknown) => {
  const repeated = listType === 'set' && Array.isArray(value) ? firstRepeated(value) : undefined;
  hasDistinctEntries.errors = repeatedAt(repeated);
  return repeated === undefined;
};

const hasDistinctKeys: SchemaValidateFunction = (keys: readonly string[], value: unknown) => {
  const entries = Array.isArray(value) ? (value as (Record<string, unknown> | null)[]) : [];
  const repeated = firstRepeated(entries.map((entry) => keys.map((key) => entry?.[key])));
  hasDistinctKeys.errors = repeatedAt(repeated);
  return repeated === undefined;
};

function firstRepeated(values: readonly unknown[]): number | undefined {
  const texts = values.map((value) => JSON.stringify(value));
  const index = texts.findIndex((text, position) => texts.indexOf(text) < position);
  return index === -1 ? undefined : index;
}

function repeatedAt(index: number | undefined): Partial<ErrorObject>[] {
  return index === undefined ? [] : [{ keyword: 'repeated', params: { index } }];
}

/** The API server drops fields that it does not know; kubectl and Argo CD ask it to refuse them. */
function closed(schema: StructuralSchema): StructuralSchema {
  const inner = Object.entries(schema).map(([keyword, value]) => [keyword, closedPart(keyword, value)]);
  const isOpen =
    schema['properties'] === undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return Object.fromEntries(isOpen ? inner : [...inner, ['additionalProperties', false]]) as StructuralSchema;
}

function closedPart(keyword: string, value: unknown): unknown {
  if (keyword === 'items' || keyword === 'additionalProperties') return closed(value as StructuralSchema);
  if (keyword !== 'properties') return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, StructuralSchema>).map(([name, field]) => [name, closed(field)]),
  );
}

function problemsOf({ errors }: ValidateFunction): readonly Problem[] {
  return (errors ?? []).map((error) => {
    const { path, message } = (descriptions[error.keyword] ?? other)(error);
    return { path: [...pathOf(error.instancePath), ...(path ?? [])], message };
  });
}

interface Description {
  /** From the value that the error is about. */
  readonly path?: Path;
  readonly message: string;
}

type Describe = (error: ErrorObject) => Description;

function say(words: string, parameter: string): Describe {
  return ({ params }) => ({ message: words.replace('…', String((params as Parameters)[parameter])) });
}

type Parameters = Readonly<Record<string, unknown>>;

/** The words that an API server has for each kind of mistake. */
const descriptions: Readonly<Record<string, Describe>> = {
  required: ({ params }) => ({
    path: [(params as { missingProperty: string }).missingProperty],
    message: 'Required value',
  }),
  additionalProperties: ({ params }) => ({
    path: [(params as { additionalProperty: string }).additionalProperty],
    message: 'unknown field',
  }),
  enum: ({ params, data }) => ({
    message: `Unsupported value: ${JSON.stringify(data)}: supported values: ${(params as { allowedValues: readonly string[] }).allowedValues.map((value) => JSON.stringify(value)).join(', ')}`,
  }),
  type: say('must be of type …', 'type'),
  minimum: say('should be greater than or equal to …', 'limit'),
  maximum: say('should be less than or equal to …', 'limit'),
  minItems: say('should have at least … items', 'limit'),
  maxItems: say('must have at most … items', 'limit'),
  minLength: say('should be at least … chars long', 'limit'),
  maxLength: say('may not be more than … bytes', 'limit'),
  maxProperties: say('must have at most … properties', 'limit'),
  'x-kubernetes-int-or-string': () => ({ message: 'must be a whole number or a text' }),
  repeated: ({ params }) => ({ path: [(params as { index: number }).index], message: 'Duplicate value' }),
};

function other({ message, keyword }: ErrorObject): Description {
  return { message: message ?? keyword };
}

/** From a JSON pointer (RFC 6901). */
function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}
