import { fileDescriptors } from '../file-descriptors.ts';
import {
  readReflectionRequest,
  writeReflectionResponse,
  type ReflectionAnswer,
  type ReflectionQuestion,
} from '../messages/reflection-messages.ts';
import type { Method } from '../transport/grpc-server.ts';
import { conversation } from './conversation.ts';

/** Of gRPC's status codes. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const LONGEST_NAME = 200;

const services = fileDescriptors.flatMap((file) => file.services).sort();
const filesByName = new Map<string, Buffer>();
const filesBySymbol = new Map<string, Buffer>();
for (const { name, symbols, base64 } of fileDescriptors) {
  const bytes = Buffer.from(base64, 'base64');
  filesByName.set(name, bytes);
  for (const symbol of symbols.trim().split('\n')) filesBySymbol.set(symbol, bytes);
}

function notFound(what: string, name: string): ReflectionAnswer {
  return { kind: 'Error', code: NOT_FOUND, message: `there is no ${what} '${name.slice(0, LONGEST_NAME)}'` };
}

function fileOf(bytes: Buffer | undefined, what: string, name: string): ReflectionAnswer {
  return bytes === undefined ? notFound(what, name) : { kind: 'File', bytes };
}

function answer(question: ReflectionQuestion | undefined): ReflectionAnswer {
  if (question === undefined)
    return { kind: 'Error', code: INVALID_ARGUMENT, message: 'expected one of message_request' };
  const { kind, name } = question;
  switch (kind) {
    case 'Services':
      return { kind: 'Services', names: services };
    case 'FileByName':
      return fileOf(filesByName.get(name), 'file', name);
    case 'FileOfSymbol':
      return fileOf(filesBySymbol.get(name), 'symbol', name);
    case 'ExtensionsOfType':
      return filesBySymbol.has(name) ? { kind: 'NoExtensions', type: name } : notFound('type', name);
    // proto3 has none.
    case 'FileOfExtension':
      return notFound('extension of', name);
  }
}

/** https://github.com/grpc/grpc/blob/master/doc/server-reflection.md, in both of the versions that clients ask for. */
export const reflectionMethods: readonly (readonly [string, Method])[] = ['v1', 'v1alpha'].map((version) => [
  `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  conversation((message) => {
    const request = readReflectionRequest(message);
    return writeReflectionResponse(request, answer(request.question));
  }),
]);
