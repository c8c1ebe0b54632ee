import type { Method } from '../transport/grpc-server.ts';

/** A method with one message in and one out, both as bytes; RequestError is its way to refuse. */
export function unary(answer: (message: Buffer) => Buffer): Method {
  return async (call) => {
    const body = await call.receive();
    try {
      await call.answer([answer(body.bytes)]);
    } finally {
      body.release();
    }
  };
}
