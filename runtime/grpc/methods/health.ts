import { RequestError } from '../../errors.ts';
import type { DataPlane } from '../../inference/data-plane.ts';
import { readHealthRequest, writeHealth, type ServingStatus } from '../messages/health-messages.ts';
import type { GrpcCall } from '../transport/call.ts';
import type { Method } from '../transport/grpc-server.ts';
import { INFERENCE_SERVICE } from './names.ts';
import { unary } from './unary.ts';

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export class Health {
  readonly #dataPlane: DataPlane;
  readonly #services: ReadonlySet<string>;

  constructor(dataPlane: DataPlane) {
    this.#dataPlane = dataPlane;
    this.#services = new Set(['', INFERENCE_SERVICE, dataPlane.modelName]);
  }

  methods(): [string, Method][] {
    return [
      ['/grpc.health.v1.Health/Check', unary((message) => this.#check(readHealthRequest(message)))],
      ['/grpc.health.v1.Health/Watch', (call) => this.#watch(call)],
    ];
  }

  #status(service: string): ServingStatus {
    if (!this.#services.has(service)) return 'SERVICE_UNKNOWN';
    return this.#dataPlane.isReady ? 'SERVING' : 'NOT_SERVING';
  }

  #check(service: string): Buffer {
    const status = this.#status(service);
    if (status !== 'SERVICE_UNKNOWN') return writeHealth(status);
    const known = [...this.#services].map((name) => `'${name}'`).join(', ');
    throw new RequestError(
      'UnknownModel',
      `there is no service '${service.slice(0, 80)}'; expected one of ${known}`,
    );
  }

  /** Tells the present status, then every other one, until the client leaves or the server ends. */
  async #watch(call: GrpcCall): Promise<void> {
    const body = await call.receive();
    const service = readHealthRequest(body.bytes);
    body.release();
    let told: ServingStatus | undefined;
    const tell = (): void => {
      const status = this.#status(service);
      if (status !== told) void call.write(writeHealth(status));
      told = status;
    };
    const stop = this.#dataPlane.onReadinessChange(tell);
    call.onHangUp(stop);
    call.onLeave(() => {
      stop();
      call.end();
    });
    tell();
  }
}
