import { OutOfTermError } from './errors.ts';
import type { ApiRequest, Transport } from './transport.ts';

/**
 * The time for which this process leads, and the fence around it: a write goes out only while nobody else can lead,
 * which is looked up on the monotonic clock in the tick in which it goes out, so that a process that was stopped in
 * mid-work sends nothing when it wakes. What went out before may still arrive later; that is refused by the version
 * that it names. A term that was ended stays so: whoever leads again does it in another one.
 */
export class Term {
  private leadsUntilMs: number;
  private isEnded = false;
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(leadsUntilMs: number) {
    this.leadsUntilMs = leadsUntilMs;
  }

  /** It is over for good. */
  get hasEnded(): boolean {
    return this.isEnded;
  }

  /** Nothing may be written now. Where only a renewal is late, its answer makes the term go on. */
  get isOver(): boolean {
    return this.isEnded || performance.now() >= this.leadsUntilMs;
  }

  /** The Lease was renewed over the version that we had written last: nobody has led in between. */
  extend(leadsUntilMs: number): void {
    this.leadsUntilMs = leadsUntilMs;
  }

  end(): void {
    this.isEnded = true;
  }

  /**
   * Calls `begin` once `prepare` is done, unless the term has ended meanwhile. A renewal may be late at that moment: a
   * leader that gave up for that would hold the Lease, renew it from then on, and never do anything.
   */
  async beginAfter(prepare: () => Promise<void>, begin: () => void): Promise<void> {
    await prepare();
    if (!this.hasEnded) begin();
  }

  /** Settled once every write that went out has been answered. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  /** Requests as before, but no write outside this term. */
  fence(transport: Transport): Transport {
    return {
      lines: (request, options) => transport.lines(request, options),
      request: async (request) =>
        request.method === 'GET' ? await transport.request(request) : await this.write(transport, request),
    };
  }

  private async write(transport: Transport, request: ApiRequest): Promise<unknown> {
    const writing = transport.request({ ...request, beforeSending: () => this.assertNotOver() });
    this.underWay.add(writing);
    try {
      return await writing;
    } finally {
      this.underWay.delete(writing);
    }
  }

  private assertNotOver(): void {
    if (this.isOver) throw new OutOfTermError();
  }
}
