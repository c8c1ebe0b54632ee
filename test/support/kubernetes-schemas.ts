import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../bed/programs.ts';
import { run } from '../bed/shell.ts';

type Schema = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, Schema>>;

/** Raise it when the conversion changes: schemas of an older one are made again. */
const CONVERSION = 1;

/** The module that the bed's own API server is built from, pinned by its go.mod and go.sum. */
const KUBERNETES_MODULE = join(import.meta.dirname, '../bed/parts/kubernetes');

/**
 * The folder with kubeconform's schemas of every stable kind of the Kubernetes release that the bed runs, made once
 * from the OpenAPI documents in that release's own source. Unknown fields are errors in them.
 */
export async function kubernetesSchemas(): Promise<string> {
  const source = JSON.parse(
    await run('go', ['mod', 'download', '-json', 'k8s.io/kubernetes'], { cwd: KUBERNETES_MODULE }),
  ) as { readonly Dir: string; readonly Version: string };
  const folder = join(cacheFolder, 'schemas', `kubernetes-${source.Version}-${CONVERSION}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  await writeSchemas(join(source.Dir, 'api/openapi-spec/v3'), unfinished);
  await moveInPlace(unfinished, folder);
  return folder;
}

/** What kubeconform wants to be told with -schema-location. */
export function schemaLocation(folder: string): string {
  return join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json');
}

/** A folder appears whole or not at all; whoever comes second leaves the first one's alone. */
async function moveInPlace(unfinished: string, folder: string): Promise<void> {
  try {
    await rename(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(unfinished, { recursive: true });
  }
}

async function writeSchemas(openApiFolder: string, target: string): Promise<void> {
  const documents = (await readdir(openApiFolder)).filter((name) => /__v\d+_openapi\.json$/.test(name));
  for (const document of documents) {
    const { components } = JSON.parse(await readFile(join(openApiFolder, document), 'utf8')) as {
      readonly components: { readonly schemas: Schemas };
    };
    for (const [name, schema] of Object.entries(components.schemas)) {
      const file = fileOf(schema);
      if (file === undefined) continue;
      await writeFile(join(target, file), JSON.stringify(standalone(name, components.schemas)));
    }
  }
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** kubeconform's name of a kind's schema, deployment-apps-v1.json; undefined for what is no object of its own. */
function fileOf(schema: Schema): string | undefined {
  const kinds = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly GroupVersionKind[];
  const [only] = kinds;
  if (only === undefined || kinds.length > 1) return undefined;
  const { group, version, kind } = only;
  const prefix = group === '' ? '' : `${group.split('.')[0] ?? group}-`;
  return `${kind.toLowerCase()}-${prefix}${version}.json`;
}

const COMPONENT = '#/components/schemas/';

/** One kind with everything that it refers to, as a JSON Schema that refuses unknown fields. */
function standalone(name: string, schemas: Schemas): Schema {
  const definitions: Record<string, unknown> = {};
  const wanted = [name];
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    if (next in definitions) continue;
    definitions[next] = strict(schemas[next], (reference) => wanted.push(reference));
  }
  return { $ref: `#/definitions/${name}`, definitions };
}

type OnReference = (name: string) => void;

function strict(node: unknown, onReference: OnReference): unknown {
  if (Array.isArray(node)) return node.map((entry) => strict(entry, onReference));
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([keyword]) => !isUnchecked(keyword));
  const copy = Object.fromEntries(
    kept.map(([keyword, value]) => [keyword, strictValue(keyword, value, onReference)]),
  );
  return 'properties' in copy && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

/** Keywords that say nothing about what is valid. */
function isUnchecked(keyword: string): boolean {
  return keyword === 'description' || keyword === 'default' || keyword.startsWith('x-kubernetes-');
}

function strictValue(keyword: string, value: unknown, onReference: OnReference): unknown {
  if (keyword === '$ref' && typeof value === 'string') {
    const name = value.slice(COMPONENT.length);
    onReference(name);
    return `#/definitions/${name}`;
  }
  // Below `properties` stand names of fields, which may be those of keywords.
  if (keyword !== 'properties') return strict(value, onReference);
  return Object.fromEntries(
    Object.entries(value as Schema).map(([name, field]) => [name, strict(field, onReference)]),
  );
}
