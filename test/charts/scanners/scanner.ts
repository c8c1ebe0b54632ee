/** One complaint of a scanner about one object. */
export interface Finding {
  readonly scanner: string;
  readonly rule: string;
  /** Kind and name. */
  readonly object: string;
}

export interface Scanner {
  readonly name: string;
  /** What it finds in a file of manifests, at the severity at which it fails by itself. */
  scan(file: string): Promise<readonly Finding[]>;
}
