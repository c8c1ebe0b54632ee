import { RequestError } from '../../errors.ts';
import type { Method } from '../transport/grpc-server.ts';

const SHARED_MEMORY =
  'shared memory is not offered: clients are on other machines than the server; send tensors in raw_input_contents';
/** What Triton has beside the protocol and this server has not, and what to do instead. */
export const notOffered: Readonly<Record<string, string>> = {
  SystemSharedMemoryStatus: SHARED_MEMORY,
  SystemSharedMemoryRegister: SHARED_MEMORY,
  SystemSharedMemoryUnregister: SHARED_MEMORY,
  CudaSharedMemoryStatus: SHARED_MEMORY,
  CudaSharedMemoryRegister: SHARED_MEMORY,
  CudaSharedMemoryUnregister: SHARED_MEMORY,
  TraceSetting: "traces are not set by clients of the model; they are part of the pods' configuration",
  LogSettings: "the log is not set by clients of the model; it is part of the pods' configuration",
};

export function refuse(sentence: string): Method {
  return () => {
    throw new RequestError('NotOffered', sentence);
  };
}
