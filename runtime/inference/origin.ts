/** Whose request it is: a user's, a copy of one whose answer nobody sees, or a tester's who asked for this revision. */
export type Origin = 'User' | 'Mirror' | 'Preview';

/** The proxy tells in a header which revision it chose for the original, so a copy bears the name of another one. */
export function originOf(destination: string | undefined, revision: string): Origin {
  if (destination === undefined || destination === revision) return 'User';
  return destination === `${revision};preview` ? 'Preview' : 'Mirror';
}
