import Type, { type TObject, type TOptional, type TString } from 'typebox';
import { textOfForm } from './schema.ts';

/** A Redis that pods share, for one use of it. */
export function redisSchema(
  field: string,
  description: string,
): TObject<{ url: TString; secretName: TOptional<TString> }> {
  return Type.Object(
    {
      url: textOfForm(
        '^rediss?://[^ /@]+(/[0-9]+)?$',
        `${field}.url must be redis://HOST:PORT, or rediss://HOST:PORT for TLS, with /N for another database`,
        { description: 'Where Redis is.', maxLength: 256, example: 'redis://redis.cache.svc:6379' },
      ),
      secretName: Type.Optional(
        textOfForm(
          '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
          `${field}.secretName must be the name of a Secret, for example redis-login`,
          {
            description:
              'A Secret of the same namespace, which only the pods mount: its key password is that of Redis. Without it, none is given.',
            minLength: 1,
            maxLength: 253,
            example: 'redis-login',
          },
        ),
      ),
    },
    { description },
  );
}
