import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { youngMemory } from '../../runtime/memory/young.ts';

/**
 * Takes the memory of many large answers, one after the other, and prints how many full collections that took: with
 * `counted` as its argument as the runtime does, else as if nobody counted.
 */
const ANSWERS = 2000;
const ANSWER_BYTES = 270_000;

const isCounted = process.argv.includes('counted');
let fullCollections = 0;
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) fullCollections++;
  }
});
observer.observe({ entryTypes: ['gc'] });
let bytes = 0;
for (let answer = 0; answer < ANSWERS; answer++) {
  bytes += Buffer.from(new Uint8Array(ANSWER_BYTES)).length;
  if (isCounted) youngMemory.take(2 * ANSWER_BYTES);
  await turn();
}
// The observer hears of collections a turn late.
await turn();
console.log(JSON.stringify({ bytes, fullCollections }));
