import Type from 'typebox';
import { listByKey, rules, text, wholeNumber } from './schema.ts';

/** Fields shared by an input and a column of it. */
function valueFields(what: string) {
  return {
    minimum: Type.Optional(
      Type.Number({ description: `The lowest value of ${what} that is taken.`, example: 0 }),
    ),
    maximum: Type.Optional(
      Type.Number({ description: `The highest value of ${what} that is taken.`, example: 120 }),
    ),
    allowed: Type.Optional(
      Type.Array(text({ description: 'A value, numbers as text.', maxLength: 128, example: 'CH' }), {
        description: `The only values of ${what} that are taken.`,
        minItems: 1,
        maxItems: 128,
        example: ['CH', 'JP'],
      }),
    ),
  };
}

function rangeRule(field: string) {
  return {
    rule: '!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum',
    message: `${field}.minimum must not be above maximum; exchange them`,
  };
}

const columnSchema = Type.Object(
  {
    name: text({
      description: 'What the column is called in the message of a refusal.',
      minLength: 1,
      maxLength: 64,
      example: 'age',
    }),
    index: wholeNumber({
      description: 'Its place in the last dimension of the input, from 0 on.',
      minimum: 0,
      maximum: 1_000_000,
      example: 4,
    }),
    ...valueFields('this column'),
  },
  {
    description: 'What the values of one column must be.',
    ...rules(rangeRule('spec.runtime.inputs[].columns[]')),
  },
);

export const inputsSchema = Type.Array(
  Type.Object(
    {
      name: text({
        description: "The model's own name for the input.",
        minLength: 1,
        maxLength: 128,
        example: 'X',
      }),
      nulls: Type.Optional(
        Type.Enum(['Allow', 'Refuse'], {
          description: 'Whether NaN and empty texts are left to the model or refused.',
          default: 'Allow',
          example: 'Refuse',
        }),
      ),
      ...valueFields('any element'),
      columns: Type.Optional(
        Type.Array(columnSchema, {
          description: 'Rules for single columns of an input with rows, such as the features of a table.',
          maxItems: 64,
          ...listByKey('name'),
        }),
      ),
    },
    {
      description: 'What the values of one input must be.',
      ...rules(rangeRule('spec.runtime.inputs[]')),
    },
  ),
  {
    description:
      'Rules for the values of inputs, besides the names, datatypes and shapes that the model itself demands. A request that breaks one is answered with 400 and the element, and never reaches the model.',
    maxItems: 16,
    ...listByKey('name'),
  },
);

function outputName(description: string, example: string) {
  return Type.Optional(text({ description, minLength: 1, maxLength: 128, example }));
}

export const outputSchema = Type.Object(
  {
    labels: Type.Optional(
      Type.Array(text({ description: 'A class.', minLength: 1, maxLength: 128, example: 'benign' }), {
        description: "Names of the classes, in the order of the model's output.",
        minItems: 1,
        maxItems: 1000,
        example: ['malignant', 'benign'],
      }),
    ),
    probabilities: outputName(
      'The output with a probability for each class. Without it, the only float output with a dimension of classes.',
      'probabilities',
    ),
    topK: Type.Optional(
      wholeNumber({
        description: 'How many of the likeliest classes a prediction names.',
        minimum: 1,
        maximum: 1000,
        default: 5,
        example: 3,
      }),
    ),
    lowConfidencePercent: Type.Optional(
      wholeNumber({
        description: 'A prediction whose likeliest class is below it is marked with lowConfidence.',
        minimum: 1,
        maximum: 100,
        example: 60,
      }),
    ),
    value: outputName('The output of a regressor with one number for each row.', 'estimate'),
    lower: outputName("The output with the lower ends of a regressor's intervals.", 'lower'),
    upper: outputName("The output with the upper ends of a regressor's intervals.", 'upper'),
  },
  {
    description:
      'What the outputs mean to people: used where a request asks with the parameter `readable`, and for the classification extension.',
    ...rules(
      {
        rule: 'has(self.value) || (!has(self.lower) && !has(self.upper))',
        message:
          'spec.runtime.output.lower and upper need value, the output that they are the interval of; add it',
      },
      {
        rule: '!has(self.value) || (!has(self.probabilities) && !has(self.labels))',
        message:
          'spec.runtime.output.value is for regressors, labels and probabilities are for classifiers; keep one of them',
      },
    ),
  },
);
