import { createHash } from 'node:crypto';

/** Letters and digits that form no words and are not mistaken for each other. */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const HASH_LENGTH = 10;

/** JSON with sorted keys and without undefined members: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** Ten characters that stand for a value, fit for names, labels and headers: 47 bits. */
export function shortHash(value: unknown): string {
  const digest = createHash('sha256').update(canonicalJson(value)).digest();
  let rest = digest.readBigUInt64BE(0);
  let characters = '';
  for (let position = 0; position < HASH_LENGTH; position += 1) {
    characters += SAFE_ALPHABET[Number(rest % 27n)] ?? '';
    rest /= 27n;
  }
  return characters;
}
