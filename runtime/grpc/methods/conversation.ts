import { Deferred } from '../../deferred.ts';
import type { GrpcCall } from '../transport/call.ts';
import type { Method } from '../transport/grpc-server.ts';
import type { HeldFrame, MessageListener } from '../transport/receiver.ts';

class Conversation implements MessageListener {
  readonly over = new Deferred<undefined>();
  readonly #call: GrpcCall;
  readonly #answer: (message: Buffer) => Buffer;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(call: GrpcCall, answer: (message: Buffer) => Buffer) {
    this.#call = call;
    this.#answer = answer;
    call.begin();
    call.onLeave(() => this.onEnd());
    call.receiveAll(this);
  }

  onFrame(frame: HeldFrame): void {
    this.#call.pause();
    this.#afterTurn(async () => {
      await this.#reply(frame);
      this.#call.resume();
    });
  }

  onEnd(): void {
    this.#afterTurn(() => {
      this.#isOver = true;
      this.over.resolve(undefined);
    });
  }

  onFailure(error: Error): void {
    this.#afterTurn(() => this.#fail(error));
  }

  #afterTurn(next: () => void | Promise<void>): void {
    this.#turn = this.#turn.then(next).catch((error: unknown) => this.#fail(error as Error));
  }

  #fail(error: Error): void {
    this.#isOver = true;
    this.over.reject(error);
  }

  async #reply(frame: HeldFrame): Promise<void> {
    if (this.#isOver) {
      frame.release();
      return;
    }
    const body = await this.#call.unfold(frame);
    try {
      await this.#call.write(this.#answer(body.bytes));
    } finally {
      body.release();
    }
  }
}

/** A method with one message out for each message in, one after the other; RequestError ends the call. */
export function conversation(answer: (message: Buffer) => Buffer): Method {
  return async (call) => {
    await new Conversation(call, answer).over.promise;
    call.end();
  };
}
