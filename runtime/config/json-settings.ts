import type { Settings } from './settings.ts';

/** A JSON object from one variable, read member by member; what is left unread at the end is a mistake. */
export class JsonSettings {
  readonly #settings: Settings;
  readonly #path: string;
  readonly #members: Map<string, unknown>;

  constructor(settings: Settings, path: string, value: unknown) {
    this.#settings = settings;
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      settings.fail(`${path} is no JSON object; set one`);
    }
    this.#members = new Map(Object.entries(value));
  }

  fail(name: string, expected: string): never {
    return this.#settings.fail(`${this.#path}.${name} is not what is expected; set ${expected}`);
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    return value === undefined || typeof value === 'string' ? value : this.fail(name, 'a text');
  }

  number(name: string, minimum = -Infinity, maximum = Infinity): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
    return this.fail(name, Number.isFinite(minimum) ? `a number from ${minimum} to ${maximum}` : 'a number');
  }

  flag(name: string): boolean | undefined {
    const value = this.#take(name);
    return value === undefined || typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    return isList ? value : this.fail(name, 'a list of texts');
  }

  object(name: string): JsonSettings | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : new JsonSettings(this.#settings, `${this.#path}.${name}`, value);
  }

  objects(name: string): readonly JsonSettings[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.fail(name, 'a list of objects');
    return value.map(
      (entry, index) => new JsonSettings(this.#settings, `${this.#path}.${name}[${index}]`, entry),
    );
  }

  required<Value>(name: string, value: Value | undefined): Value {
    return value ?? this.fail(name, 'a value: it is missing');
  }

  /** Call last: no member may be left that nobody knows. */
  end(): void {
    const [unknown] = this.#members.keys();
    if (unknown !== undefined)
      this.#settings.fail(`${this.#path} has the unknown member '${unknown}'; remove it`);
  }

  #take(name: string): unknown {
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value;
  }
}
