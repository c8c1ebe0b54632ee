import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildCustomResourceDefinitions } from '../../../operator/api/crd.ts';
import type { StructuralSchema } from '../../../operator/api/structural.ts';
import { ruleProblems } from '../../../operator/lint/rules.ts';
import { structureCheck } from '../../../operator/lint/structure.ts';

const [definition] = buildCustomResourceDefinitions();
const [version] = (definition?.spec['versions'] ?? []) as readonly {
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
}[];
const schema = version?.schema.openAPIV3Schema ?? {};

/** Values of the right shape and of any content: what a rule meets after the structural check. */
function arbitrary(node: StructuralSchema): fc.Arbitrary<unknown> {
  const { type, enum: values, properties, items, additionalProperties, required = [] } = node as Shape;
  if (node['x-kubernetes-int-or-string'] === true) return fc.oneof(fc.integer(), text);
  if (values !== undefined) return fc.constantFrom(...values);
  if (items !== undefined) return fc.array(arbitrary(items), { maxLength: 3 });
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(([name, field]) => [name, arbitrary(field)] as const);
    return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
  }
  if (additionalProperties !== undefined) return fc.dictionary(text, arbitrary(additionalProperties));
  if (type === 'integer') return fc.integer({ min: -1, max: 110 });
  return type === 'boolean' ? fc.boolean() : type === 'object' ? fc.constant({}) : text;
}

interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly required?: readonly string[];
}

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(
    '1m',
    '500m',
    '1Gi',
    '/a',
    'fraud.example.com',
    'https://a/b',
    'file:///a',
    'istio-system/public',
  ),
);

const objects = fc.record({
  metadata: fc.record({ name: text }),
  spec: arbitrary((schema['properties'] as Record<string, StructuralSchema>)['spec'] ?? {}),
});

describe('the rules of the definition, evaluated offline', () => {
  it('can all be evaluated on whatever has the right shape', () => {
    const check = structureCheck(schema);
    let broken = 0;
    fc.assert(
      fc.property(objects, (object) => {
        const filled = structuredClone(object);
        check(filled);
        const problems = ruleProblems(schema, filled, () => true);
        broken += problems.length;
        expect(problems.filter(({ message }) => message.includes('cannot be evaluated'))).toEqual([]);
      }),
      { numRuns: 200, seed: 4 },
    );
    expect(broken, 'random values break rules').toBeGreaterThan(200);
  });

  it('says so when a rule cannot be evaluated, instead of passing it', () => {
    const odd: StructuralSchema = {
      type: 'string',
      'x-kubernetes-validations': [{ rule: 'self.unheardOf()', message: 'never' }],
    };
    const [problem] = ruleProblems(odd, 'a', () => true);
    expect(problem?.message).toContain('cannot be evaluated');
  });

  it('looks at no rule where the shape is wrong already', () => {
    const rule = { rule: 'size(self.a) > 1', message: 'too short' };
    const pair: StructuralSchema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      'x-kubernetes-validations': [rule],
    };
    expect(ruleProblems(pair, { a: 'x' }, () => true)).toEqual([{ path: [], message: 'too short' }]);
    expect(ruleProblems(pair, { a: 7 }, () => false)).toEqual([]);
  });
});
