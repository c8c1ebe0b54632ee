import { isNode, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { API_GROUP, API_VERSION } from '../api/names.ts';
import { buildCustomResourceDefinitions } from '../api/crd.ts';
import type { StructuralSchema } from '../api/structural.ts';
import { fieldOf, isWithin, type Path, type Problem } from './problem.ts';
import { ruleProblems } from './rules.ts';
import { structureCheck } from './structure.ts';

/** One mistake in a file. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  /** As Kubernetes names it; empty when the text is no YAML. */
  readonly field: string;
  readonly message: string;
}

export interface LintResult {
  /** How many objects of ours the text holds. */
  readonly objects: number;
  readonly findings: readonly Finding[];
}

const NOTHING: LintResult = { objects: 0, findings: [] };

interface Kind {
  readonly schema: StructuralSchema;
  readonly fill: ReturnType<typeof structureCheck>;
}

const kinds = new Map<string, Kind>(
  buildCustomResourceDefinitions().map((definition) => [nameOf(definition), kindOf(definition)]),
);

interface Versioned {
  readonly spec: Readonly<Record<string, unknown>>;
}

function nameOf({ spec }: Versioned): string {
  const { kind } = spec['names'] as { readonly kind: string };
  return `${API_VERSION} ${kind}`;
}

function kindOf({ spec }: Versioned): Kind {
  const [version] = spec['versions'] as readonly {
    readonly schema: { readonly openAPIV3Schema: StructuralSchema };
  }[];
  if (version === undefined) throw new Error('a definition has at least one version');
  const schema = version.schema.openAPIV3Schema;
  return { schema, fill: structureCheck(schema) };
}

/**
 * What an API server with our CustomResourceDefinitions would refuse in a text of YAML, found without one: the same
 * rules, in the same words. Objects of other kinds are passed over.
 */
export function lint(text: string): LintResult {
  const lines = new LineCounter();
  // An empty text is no list of documents.
  const documents = [...parseAllDocuments(text, { lineCounter: lines })] as Document.Parsed[];
  return combined(documents.map((document) => lintDocument(document, lines)));
}

function combined(results: readonly LintResult[]): LintResult {
  return {
    objects: results.reduce((total, { objects }) => total + objects, 0),
    findings: results.flatMap(({ findings }) => findings),
  };
}

function lintDocument(document: Document.Parsed, lines: LineCounter): LintResult {
  if (document.errors.length > 0) {
    return {
      objects: 0,
      findings: document.errors.map(({ pos, message }) => ({ ...at(lines, pos[0]), field: '', message })),
    };
  }
  return combined(
    objectsIn(document.toJS()).map(({ object, path }) => {
      if (!isOurs(object)) return NOTHING;
      const findings = problemsOf(object).map((problem) => ({
        ...at(lines, offsetOf(document, [...path, ...problem.path])),
        field: fieldOf(problem.path),
        message: problem.message,
      }));
      return { objects: 1, findings };
    }),
  );
}

function isOurs({ apiVersion }: Found['object']): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${API_GROUP}/`);
}

interface Found {
  readonly object: Readonly<Record<string, unknown>>;
  readonly path: Path;
}

/** A document holds one object, or a List of them as `kubectl get -o yaml` prints it. */
function objectsIn(value: unknown): readonly Found[] {
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Found['object'];
  if (object['kind'] !== 'List' || !Array.isArray(object['items'])) return [{ object, path: [] }];
  return object['items'].flatMap((item: unknown, index) =>
    objectsIn(item).map((found) => ({ ...found, path: ['items', index, ...found.path] })),
  );
}

function problemsOf(object: Found['object']): readonly Problem[] {
  const name = `${String(object['apiVersion'])} ${String(object['kind'])}`;
  const kind = kinds.get(name);
  if (kind === undefined) {
    const known = [...kinds.keys()].join(', ');
    return [{ path: ['apiVersion'], message: `there is no ${name}; the kinds of ${API_GROUP} are ${known}` }];
  }
  const filled = structuredClone(object);
  const structural = kind.fill(filled);
  const isSound = (path: Path): boolean => !structural.some((problem) => isWithin(problem.path, path));
  return [...structural, ...ruleProblems(kind.schema, filled, isSound)];
}

function at(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** Of the value, or where it is missing or a default, of what it belongs to. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
