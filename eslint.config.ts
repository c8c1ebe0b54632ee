import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Folders that only decide: plain data in, plain data out; no I/O, no clock, no log. */
const pureFolders = [
  'operator/api/**/*.ts',
  'operator/decisions/**/*.ts',
  'operator/plan/**/*.ts',
  'operator/strategies/**/*.ts',
  'operator/traffic/**/*.ts',
  'operator/resources/**/*.ts',
  'operator/status/**/*.ts',
  'runtime/tensor/**/*.ts',
];

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'charts/', '.cache/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      complexity: ['error', 10],
      'max-params': ['error', 4],
      'max-depth': ['error', 3],
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 40, skipComments: true }],
      'no-else-return': 'error',
      // `const { hosts: _hosts, ...rest } = traffic` is how a field is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `() => close()` is allowed where nobody looks at what it returns.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: pureFolders,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                'node:fs*',
                'node:http*',
                'node:net',
                'node:child_process',
                'node:timers*',
                '@kubernetes/*',
                'winston',
                'express',
                'prom-client',
              ],
              message: 'This folder decides; what touches the world lives elsewhere.',
            },
          ],
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is an argument.' },
        { object: 'process', property: 'env', message: 'Configuration is an argument.' },
        { object: 'Math', property: 'random', message: 'A decision is repeatable.' },
      ],
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'fetch', 'performance'],
    },
  },
  {
    // Could be another operator's as it stands: what it needs to know of Headgate is passed in.
    files: ['operator/controller/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['../*'], message: 'The generic machinery imports nothing of the operator.' }],
        },
      ],
    },
  },
  {
    files: ['runtime/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:http',
              allowTypeImports: true,
              message: 'It loads undici, 12 MB; node-http.ts has what is used of it.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A describe block is a chapter of sentences, not a function.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 400 }],
    },
  },
);
