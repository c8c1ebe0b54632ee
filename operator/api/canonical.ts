import { hash } from 'node:crypto';

/** Letters and digits that form no words and are not mistaken for each other. */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const HASH_LENGTH = 10;

/**
 * JSON with sorted keys and without undefined members: equal values have equal texts. Written out, since a replacer
 * for JSON.stringify took half of the time of a pass that finds nothing to do.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const record = value as Readonly<Record<string, unknown>>;
  let members = '';
  for (const name of Object.keys(record).sort()) {
    const member = record[name];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Ten characters that stand for a value, fit for names, labels and headers: 47 bits. */
export function shortHash(value: unknown): string {
  const digest = hash('sha256', canonicalJson(value), 'buffer');
  let rest = digest.readBigUInt64BE(0);
  let characters = '';
  for (let position = 0; position < HASH_LENGTH; position += 1) {
    characters += SAFE_ALPHABET[Number(rest % 27n)] ?? '';
    rest /= 27n;
  }
  return characters;
}
