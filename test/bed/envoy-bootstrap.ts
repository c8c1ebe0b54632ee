import { addresses, ports } from './layout.ts';

export interface BootstrapRequest {
  readonly adminAddress: string;
}

/** A stock Envoy that gets everything from istiod; who it is comes by its command line. */
export function envoyBootstrap(request: BootstrapRequest): object {
  return {
    admin: { address: socketAddress(request.adminAddress, 15_000) },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      lds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
    },
    static_resources: { clusters: [xdsCluster()] },
  };
}

function xdsCluster(): object {
  return {
    name: 'xds-grpc',
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '5s' } },
        },
      },
    },
    load_assignment: {
      cluster_name: 'xds-grpc',
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: socketAddress(addresses.node, ports.istiodGrpc) } }] },
      ],
    },
  };
}

function socketAddress(address: string, port: number): object {
  return { socket_address: { address, port_value: port } };
}
