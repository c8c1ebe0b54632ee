import { Keys, type Place, type Told } from '../../../support/fault-campaign/keys.ts';
import type { Case, Fault } from '../../../support/fault-campaign/faults.ts';

export interface SeenWrite {
  readonly key: string;
  readonly place: Place;
  readonly method: string;
  readonly atMs: number;
  /** Of the API server; 0 where the write never reached it. */
  status: number;
}

/** What passes between the operator and the API server about one world, and the one fault that it meets. */
export class WorldRecord {
  readonly planned: Case | undefined;
  readonly writes: SeenWrite[] = [];
  private readonly events: { readonly name: string; readonly atMs: number }[] = [];
  private readonly beganAtMs = performance.now();
  private readonly keys = new Keys();
  private hasMet = false;

  constructor(planned?: Case) {
    this.planned = planned;
  }

  /** Whether the fault has been there. */
  get isStruck(): boolean {
    return this.hasMet;
  }

  get lastWriteMs(): number {
    return this.writes.at(-1)?.atMs ?? 0;
  }

  /** In the order in which they were carried out. */
  get deletions(): readonly string[] {
    return this.writes
      .filter(({ method, status }) => method === 'DELETE' && status >= 200 && status < 300)
      .map(({ place }) => `${place.plural} ${this.keys.alias(place.name)}`);
  }

  /** All that there was, and when. */
  get timeline(): Readonly<
    Record<'writes' | 'events', readonly { readonly name: string; readonly atMs: number }[]>
  > {
    const writes = this.writes.map(({ key, atMs }) => ({ name: key, atMs: atMs - this.beganAtMs }));
    return { writes, events: [...this.events] };
  }

  alias(name: string): string {
    return this.keys.alias(name);
  }

  meetWrite(
    method: string,
    place: Place,
    body: Told | undefined,
  ): { readonly write: SeenWrite; readonly fault: Fault | undefined } {
    const key = this.keys.ofWrite(method, place, body);
    const write = { key, place, method, atMs: performance.now(), status: 0 };
    this.writes.push(write);
    return { write, fault: this.meet(key) };
  }

  meetEvent(type: string, plural: string, object: Told): Fault | undefined {
    const key = this.keys.ofEvent(type, plural, object);
    this.events.push({ name: key, atMs: performance.now() - this.beganAtMs });
    return this.meet(key);
  }

  private meet(key: string): Fault | undefined {
    if (this.hasMet || this.planned?.key !== key) return undefined;
    this.hasMet = true;
    return this.planned.fault;
  }
}
