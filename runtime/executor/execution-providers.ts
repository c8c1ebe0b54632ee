/** Where ONNX Runtime can compute; the names are its own. */
export const executionProviders = ['tensorrt', 'cuda', 'cpu'] as const;
export type ExecutionProvider = (typeof executionProviders)[number];

/** None of the execution providers that were asked for can be used here. */
export class ProviderMissingError extends Error {}

/** The library of a provider, or one that it needs, is missing. ONNX Runtime says so before it looks at the model. */
const LIBRARY_MISSING =
  /shared library|not available|no available backend|backend not found|execution provider/iu;
/** One of NVIDIA's libraries failed: no device, no memory on it, no code for it, or a driver that is too old. */
const DEVICE_FAILURE = /\bCU(?:DA|BLAS|DNN|FFT|RAND)\w* failure -?\d+: [^;\n]*/u;
const DEVICE_FULL = /Failed to allocate memory for requested buffer of size \d+/u;

/** What an error says of the provider, without the places in the library's source; undefined if it is about the model. */
export function wordsOfProvider(message: string): string | undefined {
  const ofDevice = DEVICE_FAILURE.exec(message) ?? DEVICE_FULL.exec(message);
  if (ofDevice !== null) return ofDevice[0].trim();
  return LIBRARY_MISSING.test(message) ? message : undefined;
}

/**
 * Opens with one provider after the other: given a list, the library throws at the first that is missing instead of
 * taking the next. `passedOver`: those before it, each with what it said. The CPU is always there, so what it says is
 * about the model. Throws ProviderMissingError when none can be used.
 */
export async function openWithFirstUsable<T>(
  providers: readonly ExecutionProvider[],
  open: (provider: ExecutionProvider, passedOver: readonly string[]) => Promise<T>,
): Promise<T> {
  const passedOver: string[] = [];
  for (const provider of providers) {
    try {
      return await open(provider, [...passedOver]);
    } catch (error) {
      const words = provider === 'cpu' ? undefined : wordsOfProvider((error as Error).message);
      if (words === undefined) throw error;
      passedOver.push(`${provider}: ${words}`);
    }
  }
  throw new ProviderMissingError(passedOver.join('; '));
}
