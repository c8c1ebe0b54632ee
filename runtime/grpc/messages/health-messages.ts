import { wireTypes, WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';

const servingStatuses = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

export type ServingStatus = keyof typeof servingStatuses;

/** The service that a HealthCheckRequest asks about; empty: the server as a whole. */
export function readHealthRequest(message: Buffer): string {
  let service = '';
  new WireReader(message).readFields({
    1: (reader, wireType) => {
      reader.expect(wireType, wireTypes.bytes, 'service');
      service = reader.string('service');
    },
  });
  return service;
}

export function writeHealth(status: ServingStatus): Buffer {
  return new WireWriter().uint(1, servingStatuses[status]).finish();
}
