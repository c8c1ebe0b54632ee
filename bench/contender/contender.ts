import { v2Binary } from '../wire/binary.ts';
import { v2Grpc } from '../wire/grpc.ts';
import { plainJson, v2Json } from '../wire/json.ts';
import type { Question, Wire, WireName } from '../wire/wire.ts';

/** What a server is told; every one learns it in its own way. */
export interface Assignment {
  readonly modelFile: string;
  readonly modelName: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  /** The server's own for this start, empty. */
  readonly folder: string;
}

export interface Launch {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

type WireMaker = (question: Question) => Wire;

/** A server in the race. */
export interface Contender {
  readonly name: string;
  readonly wires: Readonly<Partial<Record<WireName, WireMaker>>>;
  /** Writes what the server wants to find in its folder, and says how it is started. */
  readonly prepare: (assignment: Assignment) => Promise<Launch> | Launch;
  /** A program that is there when the server is installed. */
  readonly program: string;
  /** Where it says that it is alive, at the port of its models. */
  readonly probePath: string;
}

/** By the protocol. */
export const V2_PROBE_PATH = '/v2/health/live';

export const plainWires = { JSON: plainJson } as const;
export const v2Wires = { JSON: v2Json, binary: v2Binary, gRPC: v2Grpc } as const;
/** Of servers without the binary tensor data extension. */
export const v2WiresWithoutBinary = { JSON: v2Json, gRPC: v2Grpc } as const;
