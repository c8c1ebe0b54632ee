import { wireTypes, WireReader } from '../../protobuf/wire-reader.ts';
import { WireWriter } from '../../protobuf/wire-writer.ts';

/** The members of message_request, by their number. */
const questionKinds = {
  3: 'FileByName',
  4: 'FileOfSymbol',
  5: 'FileOfExtension',
  6: 'ExtensionsOfType',
  7: 'Services',
} as const;
type QuestionField = keyof typeof questionKinds;

export interface ReflectionQuestion {
  readonly kind: (typeof questionKinds)[QuestionField];
  /** A file, a symbol or a type. */
  readonly name: string;
}

export interface ReflectionRequest {
  readonly host: string;
  /** Undefined where the client asks nothing, or something that came into the protocol later. */
  readonly question: ReflectionQuestion | undefined;
  /** To be given back. */
  readonly message: Buffer;
}

export type ReflectionAnswer =
  | { readonly kind: 'File'; readonly bytes: Buffer }
  | { readonly kind: 'NoExtensions'; readonly type: string }
  | { readonly kind: 'Services'; readonly names: readonly string[] }
  | { readonly kind: 'Error'; readonly code: number; readonly message: string };

function readText(reader: WireReader, wireType: number, field: string): string {
  reader.expect(wireType, wireTypes.bytes, field);
  return reader.string(field);
}

/** The type that an ExtensionRequest is about. */
function readContainingType(reader: WireReader): string {
  let type = '';
  reader.readFields({
    1: (inner, wireType) => {
      type = readText(inner, wireType, 'containing_type');
    },
  });
  return type;
}

/** A ServerReflectionRequest; the last member of a oneof is the one that counts. */
export function readReflectionRequest(message: Buffer): ReflectionRequest {
  let host = '';
  let question: ReflectionQuestion | undefined;
  const ask = (field: QuestionField) => (reader: WireReader, wireType: number) => {
    reader.expect(wireType, wireTypes.bytes, 'message_request');
    const isExtension = questionKinds[field] === 'FileOfExtension';
    const name = isExtension ? readContainingType(reader.message()) : reader.string('message_request');
    question = { kind: questionKinds[field], name };
  };
  new WireReader(message).readFields({
    1: (reader, wireType) => {
      host = readText(reader, wireType, 'host');
    },
    ...{ 3: ask(3), 4: ask(4), 5: ask(5), 6: ask(6), 7: ask(7) },
  });
  return { host, question, message };
}

/** A ServerReflectionResponse. */
export function writeReflectionResponse(request: ReflectionRequest, answer: ReflectionAnswer): Buffer {
  const writer = new WireWriter().string(1, request.host).bytes(2, request.message);
  switch (answer.kind) {
    case 'File':
      return writer.message(4, (file) => file.bytes(1, answer.bytes)).finish();
    case 'NoExtensions':
      return writer.message(5, (numbers) => numbers.string(1, answer.type)).finish();
    case 'Services':
      return writer
        .message(6, (list) => {
          for (const name of answer.names) list.message(1, (service) => service.string(1, name));
        })
        .finish();
    case 'Error':
      return writer.message(7, (error) => error.uint(1, answer.code).string(2, answer.message)).finish();
  }
}
