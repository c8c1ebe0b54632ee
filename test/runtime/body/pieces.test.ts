import { describe, expect, it } from 'vitest';
import { countBytes, joinPieces } from '../../../runtime/body/pieces.ts';

describe('pieces of a body', () => {
  it('are counted in bytes, not in characters', () => {
    expect(countBytes(['größe', Buffer.from('ü'), ''])).toBe(9);
    expect(countBytes([])).toBe(0);
  });

  it('are one behind the other when joined', () => {
    const pieces = ['{"ö":[', Buffer.from('1,2'), ']}', Buffer.of(0, 255)];
    expect(joinPieces(pieces)).toEqual(Buffer.concat([Buffer.from('{"ö":[1,2]}'), Buffer.of(0, 255)]));
    expect(joinPieces(pieces)).toHaveLength(countBytes(pieces));
  });
});
