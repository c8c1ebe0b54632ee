import { join } from 'node:path';
import protobuf from 'protobufjs';
import descriptor, {
  type IDescriptorProto,
  type IFileDescriptorProto,
  type IFileDescriptorSet,
} from 'protobufjs/ext/descriptor/index.js';

/** The .proto files of runtime/grpc, with the names by which clients know them. */
const files = [
  ['open-inference.proto', 'open-inference.proto'],
  ['health.proto', 'grpc/health/v1/health.proto'],
  ['reflection-v1.proto', 'grpc/reflection/v1/reflection.proto'],
  ['reflection-v1alpha.proto', 'grpc/reflection/v1alpha/reflection.proto'],
] as const;
const LINES = /.{1,160}/gu;

/** Of a message: itself and what is declared in it. */
function typeNamesOf(
  scope: string,
  { name = '', nestedType = [], enumType = [] }: IDescriptorProto,
): string[] {
  const own = `${scope}.${name}`;
  const enums = enumType.map((type) => `${own}.${type.name ?? ''}`);
  return [own, ...enums, ...nestedType.flatMap((type) => typeNamesOf(own, type))];
}

/** The type that a name means within a message, looked for from there outwards, as the language has it. */
function resolve(known: ReadonlySet<string>, scope: string, name: string): string {
  if (name.startsWith('.')) return name;
  for (let outer = scope; outer !== ''; outer = outer.slice(0, outer.lastIndexOf('.'))) {
    if (known.has(`${outer}.${name}`)) return `${outer}.${name}`;
  }
  throw new Error(`'${name}' in ${scope} is no type of its file`);
}

/** protobufjs calls the entries of a map by the map's name alone, which gRPC's own libraries refuse. */
function nameEntries(message: IDescriptorProto): void {
  for (const nested of message.nestedType ?? []) {
    nameEntries(nested);
    if (nested.options?.mapEntry !== true) continue;
    const name = `${nested.name ?? ''}Entry`;
    for (const field of message.field ?? []) if (field.typeName === nested.name) field.typeName = name;
    nested.name = name;
  }
}

/** As protoc does: some clients take no other names. */
function qualifyTypes(known: ReadonlySet<string>, scope: string, message: IDescriptorProto): void {
  const own = `${scope}.${message.name ?? ''}`;
  for (const field of message.field ?? []) {
    if (field.typeName) field.typeName = resolve(known, own, field.typeName);
  }
  for (const nested of message.nestedType ?? []) qualifyTypes(known, own, nested);
}

interface Described {
  readonly services: readonly string[];
  /** Of services, methods, messages and enumerations. */
  readonly symbols: readonly string[];
  readonly bytes: Uint8Array;
}

function describeFile(folder: string, file: string, name: string): Described {
  const root = new protobuf.Root().loadSync(join(folder, file), { keepCase: true }) as protobuf.Root & {
    toDescriptor(edition: string): protobuf.Message & IFileDescriptorSet;
  };
  root.resolveAll();
  const described: readonly IFileDescriptorProto[] = root.toDescriptor('proto3').file;
  const [only] = described;
  if (only === undefined || described.length > 1) throw new Error(`${file} is not one package`);
  const { messageType = [], enumType = [], service = [] } = only;
  const scope = `.${only.package ?? ''}`;
  for (const message of messageType) nameEntries(message);
  const messages = messageType.flatMap((message) => typeNamesOf(scope, message));
  const types = [...messages, ...enumType.map((type) => `${scope}.${type.name ?? ''}`)];
  for (const message of messageType) qualifyTypes(new Set(types), scope, message);
  const services = service.map((each) => `${scope}.${each.name ?? ''}`);
  const methods = service.flatMap(({ method = [] }, index) =>
    method.map((each) => `${services[index] ?? ''}.${each.name ?? ''}`),
  );
  return {
    services: services.map(withoutRoot),
    symbols: [...services, ...methods, ...types].map(withoutRoot),
    bytes: descriptor.FileDescriptorProto.encode({ ...only, name }).finish(),
  };
}

function withoutRoot(name: string): string {
  return name.slice(1);
}

/** A template literal, which is laid out as it is. */
function block(lines: readonly string[]): string {
  return `\`\n${lines.join('\n')}\n\``;
}

/** runtime/grpc/file-descriptors.ts: what server reflection tells of the .proto files beside it. */
export function buildFileDescriptors(root: string): string {
  const entries = files.map(([file, name]) => {
    const { services, symbols, bytes } = describeFile(join(root, 'runtime/grpc'), file, name);
    const base64 = Buffer.from(bytes).toString('base64');
    return `  {
    name: '${name}',
    services: [${services.map((service) => `'${service}'`).join(', ')}],
    symbols: ${block(symbols)},
    base64: ${block(base64.match(LINES) ?? [])},
  },
`;
  });
  return `/**
 * Written by scripts/file-descriptors.ts from the .proto files beside it; change them there and run \`npm run generate\`.
 * Each has the names of its services, methods, messages and enumerations, and is a FileDescriptorProto in base64.
 */
export const fileDescriptors = [
${entries.join('')}] as const;
`;
}
