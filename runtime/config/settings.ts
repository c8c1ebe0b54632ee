import { StartFailure } from '../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface WholeNumberRule {
  readonly byDefault: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** Reads variables of the environment; whatever is wrong ends in StartFailure with the name and what to set. */
export class Settings {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  fail(message: string): never {
    throw new StartFailure('ConfigurationInvalid', message);
  }

  optional(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === '' ? undefined : value;
  }

  required(name: string): string {
    return this.optional(name) ?? this.fail(`the environment variable ${name} is missing; set it`);
  }

  whole(name: string, { byDefault, minimum, maximum }: WholeNumberRule): number {
    const text = this.optional(name);
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    return this.fail(`${name} is '${text}'; set a whole number from ${minimum} to ${maximum}`);
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const choice = choices.find((known) => known === text);
    return choice ?? this.fail(`${name} is '${text}'; set one of ${choices.join(', ')}`);
  }

  flag(name: string): boolean | undefined {
    const text = this.optional(name);
    if (text === undefined || text === 'true' || text === 'false')
      return text === undefined ? undefined : text === 'true';
    return this.fail(`${name} is '${text}'; set true or false`);
  }

  /** The parsed JSON of a variable; what it holds is for the caller to check. */
  json(name: string): unknown {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      return this.fail(`${name} is no JSON: ${(error as Error).message}`);
    }
  }
}
