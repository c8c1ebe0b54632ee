import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as rest } from 'node:timers/promises';
import type { Told } from '../../../support/fault-campaign/keys.ts';

/** Longer than any look of the operator that waits for nothing else. */
const DELAY_MS = 1_000;

export interface ToldEvent {
  readonly type: string;
  readonly object: Told & {
    readonly metadata: { readonly namespace?: string; readonly resourceVersion?: string };
  };
}

export interface EventStreamOptions {
  readonly answer: IncomingMessage;
  readonly response: ServerResponse;
  /** The fault that this event meets. */
  readonly meet: (event: ToldEvent) => string | undefined;
  /** A watch has been ended before this event. */
  readonly onDropped: (event: ToldEvent, fault: string) => void;
}

/** One watch of the operator, passed on event by event. */
export async function passOnEvents({ answer, response, meet, onDropped }: EventStreamOptions): Promise<void> {
  let left = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (left + chunk).split('\n');
    left = lines.pop() ?? '';
    for (const line of lines.filter((text) => text !== '')) {
      const event = JSON.parse(line) as ToldEvent;
      const fault = meet(event);
      if (fault === 'dropped' || fault === 'stale list') {
        onDropped(event, fault);
        response.end();
        return;
      }
      if (fault === 'delayed') await rest(DELAY_MS);
      response.write(`${line}\n`);
      if (fault === 'duplicated') response.write(`${line}\n`);
    }
  }
  response.end(left);
}
