/** How a body says what it has to say; each form costs its own per byte: digits most of all. */
export type BodyForm = 'Json' | 'Binary' | 'Grpc';

/** What is smaller is read at once and teaches nothing: what it costs is not in its bytes. */
export const LARGE_BYTES = 32_768;
const SMOOTHING = 0.1;

/** What it costs this process to make requests of large bodies, learned from those that it has read. */
export class ReadingCost {
  readonly #msPerByte = new Map<BodyForm, number>();

  record(form: BodyForm, bytes: number, ms: number): void {
    if (bytes < LARGE_BYTES) return;
    const latest = ms / bytes;
    const known = this.#msPerByte.get(form) ?? latest;
    this.#msPerByte.set(form, known + SMOOTHING * (latest - known));
  }

  /** 0 for what is small, and for a form of which none has come yet. */
  expectedMs(form: BodyForm, bytes: number): number {
    return bytes < LARGE_BYTES ? 0 : bytes * (this.#msPerByte.get(form) ?? 0);
  }
}
