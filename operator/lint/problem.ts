/** The way from the top of an object to a value in it: names of fields and numbers of list entries. */
export type Path = readonly (string | number)[];

/** One thing that an API server would refuse, in its words. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** A path as Kubernetes writes it: `spec.rollout.canary.steps[1].pause`. */
export function fieldOf(path: Path): string {
  return path.reduce<string>((field, part) => {
    if (typeof part === 'number') return `${field}[${part}]`;
    if (!/^[A-Za-z0-9_-]+$/.test(part)) return `${field}[${part}]`;
    return field === '' ? part : `${field}.${part}`;
  }, '');
}

/** Whether the one lies at or below the other. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.every((part, index) => path[index] === part);
}
