import type { ModelMetadata, ServerMetadata } from '../../inference/data-plane.ts';
import { wireTypes, WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';

/** What the protocol asks and tells beside inference; the numbers are those of open-inference.proto. */

export interface ModelName {
  readonly name: string;
  /** Empty: any. */
  readonly version: string;
}

/** ModelReadyRequest and every other request that names a model and a version. */
export function readModelName(message: Buffer): ModelName {
  const found = { name: '', version: '' };
  new WireReader(message).readFields({
    1: (reader, wireType) => {
      reader.expect(wireType, wireTypes.bytes, 'name');
      found.name = reader.string('name');
    },
    2: (reader, wireType) => {
      reader.expect(wireType, wireTypes.bytes, 'version');
      found.version = reader.string('version');
    },
  });
  return found;
}

/** ServerLiveResponse, ServerReadyResponse and ModelReadyResponse alike. */
export function writeFlag(value: boolean): Buffer {
  return new WireWriter().boolean(1, value).finish();
}

export function writeServerMetadata({ name, version, extensions }: ServerMetadata): Buffer {
  return new WireWriter().string(1, name).string(2, version).strings(3, extensions).finish();
}

export function writeModelMetadata({ name, versions, platform, inputs, outputs }: ModelMetadata): Buffer {
  const writer = new WireWriter().string(1, name).strings(2, versions).string(3, platform);
  for (const [field, tensors] of [
    [4, inputs],
    [5, outputs],
  ] as const)
    for (const tensor of tensors)
      writer.message(field, (inner) =>
        inner.string(1, tensor.name).string(2, tensor.datatype).packed(3, tensor.shape),
      );
  return writer.finish();
}
