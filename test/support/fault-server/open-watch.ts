import type { ServerResponse } from 'node:http';
import { breakWatch, isHalfOpen, type BreakingFault } from './faults.ts';
import type { Happening } from './truth.ts';
import { bookmarkLine, lineOf } from './wire.ts';

export interface OpenWatchOptions {
  readonly response: ServerResponse;
  /** In force after so many events; undefined for a good watch. */
  readonly fault?: BreakingFault | undefined;
  readonly afterEvents: number;
  readonly repeatsEach: boolean;
  readonly lastsMs: number;
  readonly version: () => number;
  /** How long it took until a half-open watch was given up by the other side. */
  readonly onNoticed: (ms: number) => void;
  readonly onEvent: () => void;
}

/** The API server's side of one watch. */
export class OpenWatch {
  private readonly options: OpenWatchOptions;
  private readonly timer: NodeJS.Timeout;
  private left: number;
  private isBroken = false;

  constructor(options: OpenWatchOptions) {
    this.options = options;
    this.left = options.afterEvents;
    this.timer = setTimeout(() => this.endInTime(), options.lastsMs);
    options.response.on('close', () => clearTimeout(this.timer));
    if (this.left === 0) this.break();
    else options.response.flushHeaders();
  }

  get isGood(): boolean {
    return !this.isBroken;
  }

  get backlog(): number {
    return this.isBroken ? 0 : this.options.response.writableLength;
  }

  send(happening: Happening): void {
    if (this.isBroken) return;
    const line = lineOf(happening);
    this.options.response.write(this.options.repeatsEach ? line + line : line);
    this.options.onEvent();
    this.left -= 1;
    if (this.left <= 0) this.break();
  }

  write(text: string): void {
    if (!this.isBroken) this.options.response.write(text);
  }

  /** In good order, before its time. */
  end(): void {
    this.isBroken = true;
    this.options.response.end();
  }

  reset(): void {
    this.isBroken = true;
    this.options.response.socket?.resetAndDestroy();
  }

  private endInTime(): void {
    if (this.isBroken) return;
    this.options.response.write(bookmarkLine(this.options.version()));
    this.end();
  }

  private break(): void {
    const { fault, response, onNoticed } = this.options;
    if (fault === undefined) return;
    this.isBroken = true;
    breakWatch(fault, response);
    if (!isHalfOpen(fault)) return;
    const sinceMs = performance.now();
    response.on('close', () => onNoticed(performance.now() - sinceMs));
  }
}
