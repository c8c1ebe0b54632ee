const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a with a last mix, since short ids that differ in their end alone would lie side by side without it. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Whether a request is one of the given share (0 to 1). The request's id alone decides, so the pods of all revisions
 * choose the same: what a stable and a shadow answered to one request can be compared.
 */
export function isSampled(requestId: string, share: number): boolean {
  return share >= 1 || hashOf(requestId) < share * 2 ** 32;
}
