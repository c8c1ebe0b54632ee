import { parseAllowList } from '../../../runtime/model-source/http/allow-list.ts';
import type { LocalModel, ModelSource } from '../../../runtime/model-source/model-source.ts';
import type { StartFailure } from '../../../runtime/errors.ts';

/** What a platform allows whose model stores all lie on this machine. */
export const LOOPBACK = '127.0.0.0/8';

/** A source as the runtime's configuration gives it, with nothing set but what a test is about. */
export function modelSource(
  given: Partial<ModelSource> & Pick<ModelSource, 'uri' | 'downloadDirectory'>,
): ModelSource {
  return {
    sha256: undefined,
    maxBytes: 10_000_000,
    allowed: parseAllowList(LOOPBACK),
    credentials: 'None',
    credentialsDirectory: '/nowhere',
    s3: { endpoint: undefined, region: 'us-east-1', pathStyle: undefined },
    gs: { endpoint: undefined, metadataHost: undefined },
    aws: {
      roleArn: undefined,
      webIdentityTokenFile: undefined,
      tokenServiceUrl: undefined,
      containerCredentialsUrl: undefined,
      containerTokenFile: undefined,
    },
    ...given,
  };
}

export async function failureOf(
  fetched: Promise<LocalModel | string>,
): Promise<Pick<StartFailure, 'reason' | 'message'>> {
  try {
    await fetched;
  } catch (error) {
    const { reason, message } = error as StartFailure;
    return { reason, message };
  }
  throw new Error('the model was fetched');
}
