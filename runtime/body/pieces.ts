/** What lies on the wire one behind the other, not joined: large bodies are not copied for the sake of one piece. */
export type Pieces = readonly (string | Buffer)[];

export function countBytes(pieces: Pieces): number {
  return pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
}

export function joinPieces(pieces: Pieces): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
