/** Prints each part with the seconds that it took, as it is done. */
export class Progress {
  private readonly started = performance.now();
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  async step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await work();
    this.print(`  ${what.padEnd(52)} ${secondsSince(started)} s`);
    return result;
  }

  total(what: string): void {
    this.print(`${what} (${secondsSince(this.started).trim()} s)`);
  }
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1).padStart(6);
}
