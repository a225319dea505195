// SPDX-License-Identifier: Apache-2.0
package client;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.spiffe.provider.SpiffeKeyManager;
import io.spiffe.provider.SpiffeTrustManager;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.workloadapi.X509Source;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * gRPC with the provider's key and trust managers. Its TLS is the BoringSSL inside
 * grpc-netty-shaded, not the JDK's.
 */
final class GrpcPeers {
  private static final String PLAIN = "plain";

  private GrpcPeers() {}

  static void listen(String address, String id) throws Exception {
    InetSocketAddress at = TlsPeers.parse(address);
    Server server = NettyServerBuilder.forAddress(at, serverCredentials(id))
        .addService(new HealthStatusManager().getHealthService())
        .build()
        .start();
    Lines.print("listening", "address", TlsPeers.text(at.getAddress(), server.getPort()));
    Main.awaitEndOfInput();
    server.shutdownNow();
  }

  static void dial(String address, String id) throws Exception {
    ManagedChannel channel = Grpc.newChannelBuilder(address, channelCredentials(id)).build();
    try {
      HealthCheckResponse answer = HealthGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Main.PATIENCE.toSeconds(), TimeUnit.SECONDS)
          .check(HealthCheckRequest.getDefaultInstance());
      Lines.print("grpc", "status", answer.getStatus().name());
    } finally {
      channel.shutdownNow();
    }
  }

  private static ServerCredentials serverCredentials(String id) throws Exception {
    if (id.equals(PLAIN)) {
      return InsecureServerCredentials.create();
    }
    X509Source source = Workload.source();
    return TlsServerCredentials.newBuilder()
        .keyManager(new SpiffeKeyManager(source))
        .trustManager(trust(source, id))
        .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
        .build();
  }

  private static ChannelCredentials channelCredentials(String id) throws Exception {
    if (id.equals(PLAIN)) {
      return InsecureChannelCredentials.create();
    }
    X509Source source = Workload.source();
    return TlsChannelCredentials.newBuilder()
        .keyManager(new SpiffeKeyManager(source))
        .trustManager(trust(source, id))
        .build();
  }

  private static SpiffeTrustManager trust(X509Source source, String id) {
    SpiffeId peer = SpiffeId.parse(id);
    return new SpiffeTrustManager(source, () -> Set.of(peer));
  }
}
