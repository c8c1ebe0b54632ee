import Type from 'typebox';
import { describe, expect, test } from 'vitest';
import { buildCustomResourceDefinitions } from '../../../operator/api/crd.ts';
import type { Rule } from '../../../operator/api/schema.ts';
import { structural } from '../../../operator/api/structural.ts';
import { invalidExamples } from '../../support/examples.ts';

type Schema = Readonly<Record<string, unknown>>;

const definitions = buildCustomResourceDefinitions();

interface Field {
  readonly path: string;
  readonly schema: Schema;
}

function fieldsOf(schema: Schema, path: string): Field[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  const items = schema['items'] as Schema | undefined;
  return [
    { path, schema },
    ...properties.flatMap(([name, field]) => fieldsOf(field, `${path}.${name}`)),
    ...(items === undefined ? [] : fieldsOf(items, `${path}[]`)),
  ];
}

function schemaOf({ spec }: (typeof definitions)[number]): Schema {
  const [version] = spec['versions'] as readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  return version?.schema.openAPIV3Schema ?? {};
}

describe.each(definitions.map((definition) => ({ name: definition.metadata.name, definition })))(
  'the CustomResourceDefinition $name',
  ({ definition }) => {
    const whole = schemaOf(definition);
    const fields = Object.entries(whole['properties'] as Readonly<Record<string, Schema>>)
      .filter(([name]) => name === 'spec' || name === 'status')
      .flatMap(([name, schema]) => fieldsOf(schema, name));
    const messages = [{ path: '', schema: whole }, ...fields]
      .flatMap(({ schema }) => (schema['x-kubernetes-validations'] ?? []) as readonly Rule[])
      // That a decision is not changed shows on an update alone: test/api-server/decisions.test.ts.
      .filter(({ rule }) => !rule.includes('oldSelf'))
      .map(({ message }) => message);

    test('is small enough for kubectl apply, which keeps a second copy in an annotation', () => {
      expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(100 * 1024);
    });

    test('describes every field', () => {
      const silent = fields.filter(
        ({ schema }) => typeof schema['description'] !== 'string' || schema['description'] === '',
      );
      expect(silent.map(({ path }) => path)).toEqual([]);
    });

    test('tells of every field of the spec its default, or that it has none, and an example', () => {
      const silent = fields.filter(
        ({ path, schema }) =>
          path.startsWith('spec.') &&
          // Of an entry of a list, the list tells.
          !path.endsWith('[]') &&
          schema['properties'] === undefined &&
          (schema['items'] as Schema | undefined)?.['properties'] === undefined &&
          !/^Refused|Default: .+\.$|No default\. Example: .+\.$/.test(String(schema['description'])),
      );
      expect(silent.map(({ path }) => path)).toEqual([]);
    });

    test('bounds every text and every list, so that the API server can bound the cost of the rules', () => {
      const unbounded = fields.filter(
        ({ schema }) =>
          (schema['type'] === 'string' &&
            schema['maxLength'] === undefined &&
            schema['enum'] === undefined) ||
          (schema['type'] === 'array' && schema['maxItems'] === undefined),
      );
      expect(unbounded.map(({ path }) => path)).toEqual([]);
    });

    test('demands only what has no default', () => {
      const demanded = fields.flatMap(({ schema }) =>
        ((schema['required'] ?? []) as readonly string[]).filter(
          (name) =>
            (schema['properties'] as Readonly<Record<string, Schema>>)[name]?.['default'] !== undefined,
        ),
      );
      expect(demanded).toEqual([]);
    });

    test('has a typical mistake in examples/invalid for every one of its rules', async () => {
      const told = (await invalidExamples()).flatMap((example) => example.messages);
      expect(messages.filter((message) => !told.some((part) => message.includes(part)))).toEqual([]);
    });

    test('names a field of the object in every refusal', () => {
      expect(
        messages.filter((message) => !/^(metadata\.name|spec\.[a-zA-Z0-9.[\]-]+) /.test(message)),
      ).toEqual([]);
    });
  },
);

describe('a schema for the API server', () => {
  test('turns a pattern into a rule, because a failed pattern is answered with nothing but the expression', () => {
    const schema = Type.String({ pattern: '^[a-z]+$', patternMessage: 'must be letters', maxLength: 9 });
    expect(structural(schema)).toEqual({
      type: 'string',
      maxLength: 9,
      'x-kubernetes-validations': [{ rule: "self.matches(r'^[a-z]+$')", message: 'must be letters' }],
    });
  });

  test('does not demand what the API server fills in', () => {
    const schema = Type.Object({ a: Type.Integer({ default: 1 }), b: Type.Integer() });
    expect(structural(schema)['required']).toEqual(['b']);
  });

  test.each([
    ['a pattern without words', Type.String({ pattern: '^a$' }), /has no patternMessage/],
    [
      'a pattern that would end the text of the rule',
      Type.String({ pattern: "'", patternMessage: 'x' }),
      /quote/,
    ],
    [
      'a keyword that no CustomResourceDefinition knows',
      Type.String({ contentEncoding: 'base64' }),
      /contentEncoding/,
    ],
  ])('refuses %s, rather than to drop it', (_, schema, refusal) => {
    expect(() => structural(schema)).toThrow(refusal);
  });
});
