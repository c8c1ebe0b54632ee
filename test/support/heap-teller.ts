/**
 * Imported by a server before all else: on SIGUSR2 it collects its garbage and writes a line with what its heap holds, as
 * the last line of its log.
 */
process.on('SIGUSR2', () => {
  // What finalizers let go of in one collection is found by the next.
  for (let collection = 0; collection < 3; collection++) globalThis.gc?.();
  console.log(JSON.stringify({ heapBytes: process.memoryUsage().heapUsed }));
});
