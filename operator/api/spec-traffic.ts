import Type from 'typebox';
import { duration, HOST_PATTERN, rules, textOfForm, wholeNumber } from './schema.ts';

const GATEWAY_PATTERN = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$';

export const scalingSchema = Type.Object(
  {
    minReplicas: wholeNumber({
      description: 'The fewest pods of the stable revision.',
      minimum: 1,
      maximum: 1000,
      default: 1,
    }),
    maxReplicas: wholeNumber({
      description: 'The most pods of one revision.',
      minimum: 1,
      maximum: 1000,
      default: 10,
    }),
    targetP95: duration({
      field: 'spec.scaling.targetP95',
      description:
        'The 95th percentile of the latency that scaling aims at: pods are added while it is above, removed while it is below.',
      default: '100ms',
    }),
  },
  {
    description: 'How many pods run.',
    default: {},
    ...rules({
      // Both are always there, but not yet when the API server tries the default of `scaling` itself.
      rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
      message:
        'spec.scaling.minReplicas must not be above spec.scaling.maxReplicas; raise maxReplicas or lower minReplicas',
    }),
  },
);

export const trafficSchema = Type.Object(
  {
    hosts: Type.Optional(
      Type.Array(
        textOfForm(
          HOST_PATTERN,
          'spec.traffic.hosts must hold DNS names in lower case, with a dot and without scheme, port or path, for example fraud.example.com',
          { description: 'A DNS name.', minLength: 1, maxLength: 253 },
        ),
        {
          description: 'The host names that the gateways answer to for this model.',
          minItems: 1,
          maxItems: 16,
          example: ['fraud.example.com'],
          'x-kubernetes-list-type': 'set',
        },
      ),
    ),
    pathPrefix: textOfForm(
      '^/$|^(/[A-Za-z0-9._~-]+)+$',
      'spec.traffic.pathPrefix must begin with / and, unless it is /, not end with one, for example /fraud',
      {
        description:
          'The path below which the model is served on its hosts; it is cut off before the request reaches the model.',
        default: '/',
        maxLength: 256,
        example: '/fraud',
        ...rules({
          // Proxies resolve these before they compare, so that no request would ever match.
          rule: "!self.matches(r'/[.][.]?(/|$)')",
          message:
            "spec.traffic.pathPrefix must hold no '.' or '..' between slashes; write the path itself, for example /fraud",
        }),
      },
    ),
    gateways: Type.Optional(
      Type.Array(
        textOfForm(
          GATEWAY_PATTERN,
          'spec.traffic.gateways must hold Istio Gateways as namespace/name, for example istio-system/public',
          { description: 'An Istio Gateway as namespace/name.', minLength: 3, maxLength: 317 },
        ),
        {
          description: 'The Istio Gateways through which traffic from outside the mesh arrives.',
          minItems: 1,
          maxItems: 8,
          example: ['istio-system/public'],
          'x-kubernetes-list-type': 'set',
        },
      ),
    ),
    timeout: duration({
      field: 'spec.traffic.timeout',
      description:
        'How long a request may take in all before the proxy answers 504. Streams over gRPC have no such end.',
      default: '30s',
    }),
    retries: Type.Object(
      {
        attempts: wholeNumber({
          description: 'How often a proxy tries a failed request again; 0 turns retries off.',
          minimum: 0,
          maximum: 10,
          default: 0,
        }),
      },
      { description: 'What proxies do with failed requests.', default: {} },
    ),
    router: Type.Enum(['Automatic', 'Service'], {
      description:
        'Who moves the traffic. Automatic: Istio where the cluster serves it, otherwise the plain Service. Service: the plain Service also where Istio is; it sends everything to one revision at a time.',
      default: 'Automatic',
    }),
    exportTo: Type.Optional(
      Type.Array(
        textOfForm(
          '^([.]|[*]|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$',
          "spec.traffic.exportTo must hold namespaces, or '.' for this one, or '*' for all",
          { description: "A namespace, '.' for this one or '*' for all.", minLength: 1, maxLength: 63 },
        ),
        {
          description: 'The namespaces whose proxies see the routes; all when it is left out.',
          minItems: 1,
          maxItems: 16,
          example: ['.'],
          'x-kubernetes-list-type': 'set',
          ...rules({
            rule: "!('*' in self) || size(self) == 1",
            message:
              "spec.traffic.exportTo must not name namespaces beside '*', which means all of them; remove one",
          }),
        },
      ),
    ),
  },
  {
    description: 'How requests reach the model.',
    default: {},
    ...rules(
      {
        rule: '!has(self.gateways) || has(self.hosts)',
        message: 'spec.traffic.hosts must name at least one host when spec.traffic.gateways is given',
      },
      {
        rule: '!has(self.hosts) || has(self.gateways)',
        message:
          'spec.traffic.gateways must name the gateways that serve spec.traffic.hosts, for example istio-system/public',
      },
      {
        // The default is there always, but not yet when the API server tries the default of `traffic` itself.
        rule: "!has(self.router) || self.router != 'Service' || !has(self.gateways)",
        message:
          'spec.traffic.gateways must be left out with spec.traffic.router Service, which no gateway follows; remove the gateways and hosts, or the router',
      },
    ),
  },
);
