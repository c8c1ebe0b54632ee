import Type, { type TInteger, type TSchema, type TString, type TUnsafe } from 'typebox';

/**
 * A CEL rule of the CustomResourceDefinition. Messages name the field and what to write instead, because a person
 * reads them after `kubectl apply`.
 */
export interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** The options of a field with CEL rules. */
export function rules(...list: readonly Rule[]): { 'x-kubernetes-validations': readonly Rule[] } {
  return { 'x-kubernetes-validations': list };
}

interface TextOptions {
  readonly description: string;
  readonly maxLength: number;
  readonly minLength?: number;
  readonly default?: string;
  readonly example?: string;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/** A bounded string; every string is bounded, so that the API server can bound the cost of CEL rules. */
export function text(options: TextOptions): TString {
  return Type.String({ ...options });
}

/**
 * A bounded string of a certain form. The CRD checks the form by CEL instead of `pattern`, since the API server
 * answers a failed `pattern` with nothing but the expression; the offline check reads `patternMessage`.
 */
export function textOfForm(pattern: string, patternMessage: string, options: TextOptions): TString {
  return Type.String({ ...options, pattern, patternMessage });
}

/** A DNS name with a dot, or all names below one. */
export const HOST_PATTERN =
  '^([*][.])?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

interface DurationOptions {
  readonly field: string;
  readonly description: string;
  readonly default?: string;
  readonly example?: string;
  readonly validations?: readonly Rule[];
}

/** At most 16 characters of at most 6 digits a part stay within the 290 years that Go and CEL can hold. */
export const DURATION_PATTERN = '^([0-9]{1,6}([.][0-9]{1,3})?(ms|s|m|h))+$';

/** A length of time such as 100ms or 1h30m, of at least a millisecond. */
export function duration({ field, validations = [], ...options }: DurationOptions): TString {
  return Type.String({
    ...options,
    maxLength: 16,
    pattern: DURATION_PATTERN,
    patternMessage: `${field} must be a duration such as 100ms, 30s, 10m or 1h30m`,
    ...rules(
      {
        rule: `!self.matches('${DURATION_PATTERN}') || duration(self) >= duration('1ms')`,
        message: `${field} must be longer than 0; write for example ${options.default ?? options.example ?? '30s'}`,
      },
      ...validations,
    ),
  });
}

interface WholeNumberOptions {
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default?: number;
  readonly example?: number;
}

export function wholeNumber(options: WholeNumberOptions): TInteger {
  return Type.Integer({ ...options, format: 'int32' });
}

const QUANTITY_PATTERN =
  '^[+]?(([0-9]+([.][0-9]*)?)|([.][0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]{1,3}))?$';

/** A Kubernetes quantity, which YAML may give as a number too. */
export function quantity(field: string, description: string, example: string): TUnsafe<string | number> {
  return Type.Unsafe<string | number>({
    description,
    example,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
    maxLength: 32,
    pattern: QUANTITY_PATTERN,
    patternMessage: `${field} must be a quantity such as 500m, 2 or 1Gi`,
  });
}

interface MapOptions {
  readonly description: string;
  readonly maxProperties: number;
  readonly maxLength: number;
  readonly validations?: readonly Rule[];
  readonly example?: Readonly<Record<string, string>>;
}

/** A map of strings to strings. */
export function textMap({ maxLength, validations, ...options }: MapOptions): TUnsafe<Record<string, string>> {
  return Type.Unsafe<Record<string, string>>({
    ...options,
    type: 'object',
    additionalProperties: { type: 'string', maxLength },
    ...(validations === undefined ? {} : rules(...validations)),
  });
}

/** Kubernetes' own object, handed on as it is; the API server checks it when the Deployment is written. */
export function nativeObject(
  description: string,
  example?: Readonly<Record<string, unknown>>,
): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    description,
    ...(example !== undefined && { example }),
    'x-kubernetes-preserve-unknown-fields': true,
  });
}

/** Declares how the API server merges a list under server-side apply: elements are the same when `key` is. */
export function listByKey(key: string): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] };
}

/** A field that exists in the schema only so that writing it is answered with a sentence. */
export function refusedFlag(description: string): TSchema {
  return Type.Boolean({ description });
}
