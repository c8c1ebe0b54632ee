import type { Body } from '../../body/budget.ts';
import { RequestError } from '../../errors.ts';
import type { InferAnswer, InferRequest } from '../../inference/inference.ts';
import type { InferenceCall, InferenceService } from '../../inference/inference-service.ts';
import { writeInferAnswer, writeStreamAnswer, writeStreamError } from '../messages/infer-answer.ts';
import { readInferRequest, type Form } from '../messages/infer-request.ts';
import type { GrpcCall } from '../transport/call.ts';
import type { Method } from '../transport/grpc-server.ts';
import type { HeldFrame, MessageListener } from '../transport/receiver.ts';
import type { ServedName } from './infer.ts';

/** Requests of one stream that are worked on at once; the rest waits in the network. */
const MOST_OPEN = 32;
const NOTHING = Buffer.alloc(0);

/** One message of a stream. Whatever becomes of it is an answer of the stream, which goes on. */
class StreamedInference implements InferenceCall {
  readonly protocol = 'grpc';
  readonly form = 'Grpc';
  readonly turnsToLeave = 1;
  readonly isLaterInStream: boolean;
  readonly requestId: string;
  readonly header: InferenceCall['header'];
  readonly #call: GrpcCall;
  readonly #hangUps: Set<() => void>;
  readonly #frame: HeldFrame;
  readonly #dataPlane: ServedName;
  #body: Body | undefined;
  #form: Form = 'Raw';
  #id = '';
  #listener: (() => void) | undefined;
  /** As of a call with one message. */
  #isAnswered = false;
  /** Undefined: nobody is there to read it. */
  reply: Buffer | undefined;

  constructor(
    { call, dataPlane, hangUps }: { call: GrpcCall; dataPlane: ServedName; hangUps: Set<() => void> },
    frame: HeldFrame,
    index: number,
  ) {
    this.#call = call;
    this.#frame = frame;
    this.#dataPlane = dataPlane;
    this.requestId = `${call.requestId}-${index}`;
    this.isLaterInStream = index > 1;
    this.header = call.header;
    this.#hangUps = hangUps;
  }

  get isClientGone(): boolean {
    return this.#call.isClientGone;
  }

  get deadlineAtMs(): number | undefined {
    return this.#call.deadlineAtMs;
  }

  /** The message is here before there is a request: whether to read it is all that is left to decide. */
  async receive(): Promise<number> {
    this.#body = await this.#call.unfold(this.#frame);
    return this.#body.bytes.length;
  }

  parse(): InferRequest {
    const { modelName, modelVersion, form, request } = readInferRequest(this.#body?.bytes ?? NOTHING);
    this.#id = request.id ?? '';
    this.#dataPlane.requireModel(modelName, modelVersion);
    this.#form = form;
    return request;
  }

  /** The stream outlives it. */
  onHangUp(listener: () => void): void {
    this.#hangUps.add(listener);
    this.#listener = listener;
  }

  deliver(answer: InferAnswer): undefined {
    this.#isAnswered = true;
    this.reply = writeStreamAnswer(writeInferAnswer(answer, this.#form));
  }

  refuse({ message }: RequestError): void {
    this.reply = writeStreamError(message, this.#id);
  }

  close(): void {
    if (this.#listener !== undefined) this.#hangUps.delete(this.#listener);
    this.#body?.release(this.#isAnswered);
  }
}

/** ModelStreamInfer: works on several requests at once and answers in their order. */
class InferStream implements MessageListener {
  readonly #call: GrpcCall;
  readonly #service: InferenceService;
  readonly #dataPlane: ServedName;
  readonly #hangUps = new Set<() => void>();
  #answered: Promise<void> = Promise.resolve();
  #open = 0;
  #count = 0;

  constructor(call: GrpcCall, service: InferenceService, dataPlane: ServedName) {
    this.#call = call;
    this.#service = service;
    this.#dataPlane = dataPlane;
    call.onHangUp(() => {
      for (const listener of this.#hangUps) listener();
    });
    call.onLeave(() => this.#leave());
    call.begin();
    call.receiveAll(this);
  }

  onFrame(frame: HeldFrame): void {
    this.#open++;
    if (this.#open >= MOST_OPEN) this.#call.pause();
    const reply = this.#work(frame);
    this.#answered = this.#answered.then(async () => {
      const message = await reply;
      if (message !== undefined) await this.#call.write(message);
      this.#open--;
      if (this.#open < MOST_OPEN) this.#call.resume();
    });
  }

  onEnd(): void {
    void this.#answered.then(() => this.#call.end());
  }

  onFailure(error: Error): void {
    if (error instanceof RequestError) void this.#answered.then(() => this.#call.fail(error));
  }

  async #work(frame: HeldFrame): Promise<Buffer | undefined> {
    const parts = { call: this.#call, dataPlane: this.#dataPlane, hangUps: this.#hangUps };
    const inference = new StreamedInference(parts, frame, ++this.#count);
    await this.#service.handle(inference);
    return inference.reply;
  }

  /** What has come is answered; the client opens its next stream elsewhere. */
  #leave(): void {
    this.#call.pause();
    const leaving = new RequestError('ModelNotReady', 'this server is leaving; open the stream again', 0);
    void this.#answered.then(() => this.#call.fail(leaving));
  }
}

export function inferStreamMethod(service: InferenceService, dataPlane: ServedName): Method {
  return (call) => {
    new InferStream(call, service, dataPlane);
  };
}
