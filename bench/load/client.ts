/** One connection that asks the same question again and again. */
export interface Client {
  /** Resolves with 200 for an answer of the model, else with the status that the server gave. One at a time. */
  ask(): Promise<number>;
  /** Of the latest answer, complete. */
  readonly body: Buffer;
  /** Its status line and headers where the protocol has them as text; empty for gRPC. */
  readonly head: string;
  close(): void;
}
