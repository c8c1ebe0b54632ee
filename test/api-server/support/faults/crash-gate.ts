import type { Socket } from 'node:net';

/** Holds writes that are to be in the air when the operator is killed. */
export class CrashGate {
  private readonly held: Socket[] = [];
  private sinceMs = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.held.length;
  }

  /** How long the first of them has been waiting. */
  get heldMs(): number {
    return this.held.length === 0 ? 0 : performance.now() - this.sinceMs;
  }

  hold(socket: Socket | null): void {
    if (socket === null) return;
    if (this.held.length === 0) this.sinceMs = performance.now();
    this.held.push(socket);
  }

  /** Once there is nobody any more who could hear an answer. */
  clear(): void {
    for (const socket of this.held.splice(0)) socket.destroy();
  }
}
