import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type CallOptions,
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type GrpcObject,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = (name: string): string =>
  fileURLToPath(new URL(`../../runtime/grpc/${name}.proto`, import.meta.url));

const definition = loadPackageDefinition(
  loadSync(['open-inference', 'health', 'reflection-v1', 'reflection-v1alpha'].map(proto), {
    ...{ keepCase: true, longs: String, enums: String, defaults: true, oneofs: true },
  }),
);

function serviceAt(path: string): ServiceClientConstructor {
  const found = path.split('.').reduce<unknown>((branch, name) => (branch as GrpcObject)[name], definition);
  return found as ServiceClientConstructor;
}

export type ReflectionVersion = 'v1' | 'v1alpha';
type Duplex = ClientDuplexStream<object, Readonly<Record<string, unknown>>>;

export interface GrpcAnswer {
  readonly message: Readonly<Record<string, unknown>>;
  /** What came before the answer. */
  readonly metadata: Metadata;
}

export interface GrpcAsk extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onCall?: (call: ClientUnaryCall) => void;
}

type Unary = (
  message: object,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, message?: Readonly<Record<string, unknown>>) => void,
) => ClientUnaryCall;

/** A method that the .proto files do not have, without anything in its messages. */
function callUnknown(client: Client, method: string): Unary {
  const bytes = (): Buffer => Buffer.alloc(0);
  const path = `/inference.GRPCInferenceService/${method}`;
  return (_message, metadata, options, callback) =>
    client.makeUnaryRequest(path, bytes, () => ({}), {}, metadata, options, callback);
}

function metadataOf(entries: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

function openStream(client: Client, method: string, headers: Readonly<Record<string, string>> = {}): Duplex {
  const open = (client as unknown as Record<string, (metadata: Metadata) => unknown>)[method];
  return open?.call(client, metadataOf(headers)) as Duplex;
}

/** gRPC's own client for Node, on a connection of its own, speaking through the .proto files of the runtime. */
export class GrpcClient {
  readonly #inference: Client;
  readonly #health: Client;
  readonly #reflections: Readonly<Record<ReflectionVersion, Client>>;

  /** A port of this machine, or an address with a port. */
  constructor(target: number | string, options: ChannelOptions = {}) {
    const address = typeof target === 'number' ? `127.0.0.1:${target}` : target;
    const own = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1, ...options };
    const open = (path: string): Client => new (serviceAt(path))(address, credentials.createInsecure(), own);
    this.#inference = open('inference.GRPCInferenceService');
    this.#health = open('grpc.health.v1.Health');
    this.#reflections = {
      v1: open('grpc.reflection.v1.ServerReflection'),
      v1alpha: open('grpc.reflection.v1alpha.ServerReflection'),
    };
  }

  /** Rejects with ServiceError. */
  ask(method: string, message: object = {}, options: GrpcAsk = {}): Promise<GrpcAnswer> {
    return this.#ask(this.#inference, method, { message, options });
  }

  /** The code that the call ends with; 0 is good. */
  async codeOf(method: string, message: object = {}, options: GrpcAsk = {}): Promise<number> {
    return (await this.failureOf(method, message, options))?.code ?? 0;
  }

  async failureOf(
    method: string,
    message: object = {},
    options: GrpcAsk = {},
  ): Promise<ServiceError | undefined> {
    return await this.ask(method, message, options).then(
      () => undefined,
      (error: unknown) => error as ServiceError,
    );
  }

  checkHealth(service: string): Promise<GrpcAnswer> {
    return this.#ask(this.#health, 'Check', { message: { service }, options: {} });
  }

  watchHealth(service: string): ClientReadableStream<{ readonly status: string }> {
    const watch = (this.#health as unknown as Record<string, (message: object) => unknown>)['Watch'];
    return watch?.call(this.#health, { service }) as ClientReadableStream<{ status: string }>;
  }

  streamInfer(headers: Readonly<Record<string, string>> = {}): Duplex {
    return openStream(this.#inference, 'ModelStreamInfer', headers);
  }

  reflect(version: ReflectionVersion): Duplex {
    return openStream(this.#reflections[version], 'ServerReflectionInfo');
  }

  close(): void {
    this.#inference.close();
    this.#health.close();
    for (const client of Object.values(this.#reflections)) client.close();
  }

  #ask(
    client: Client,
    method: string,
    { message, options }: { message: object; options: GrpcAsk },
  ): Promise<GrpcAnswer> {
    const { metadata, onCall, ...callOptions } = options;
    const call = (client as unknown as Record<string, Unary>)[method] ?? callUnknown(client, method);
    return new Promise((resolve, reject) => {
      let first = new Metadata();
      const sent = call.call(client, message, metadataOf(metadata), callOptions, (error, answer) => {
        if (error !== null) reject(error);
        else resolve({ message: answer ?? {}, metadata: first });
      });
      sent.on('metadata', (received) => {
        first = received;
      });
      onCall?.(sent);
    });
  }
}
