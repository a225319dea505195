// SPDX-License-Identifier: Apache-2.0
package client;

import io.spiffe.provider.SpiffeSslContextFactory;
import io.spiffe.provider.SpiffeSslContextFactory.SslContextOptions;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.workloadapi.X509Source;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** Mutual TLS by the JDK's own stack, with the provider's key and trust managers. */
final class TlsPeers {
  private TlsPeers() {}

  static void listen(String address, String id) throws Exception {
    InetSocketAddress at = parse(address);
    try (X509Source source = Workload.source();
        SSLServerSocket server = (SSLServerSocket) context(source, id)
            .getServerSocketFactory().createServerSocket(at.getPort(), 50, at.getAddress())) {
      server.setNeedClientAuth(true);
      start(() -> accept(server));
      Lines.print("listening", "address", text(at.getAddress(), server.getLocalPort()));
      Main.awaitEndOfInput();
    }
  }

  static void dial(String address, String id, String text) throws Exception {
    int patience = (int) Main.PATIENCE.toMillis();
    try (X509Source source = Workload.source();
        SSLSocket socket = (SSLSocket) context(source, id).getSocketFactory().createSocket()) {
      socket.setSoTimeout(patience);
      socket.connect(parse(address), patience);
      byte[] sent = text.getBytes(StandardCharsets.UTF_8);
      socket.getOutputStream().write(sent);
      // In TLS 1.3 a refusal of our certificate comes with the first answer.
      byte[] echo = socket.getInputStream().readNBytes(sent.length);
      if (echo.length < sent.length) {
        throw new IOException("the peer closed after " + echo.length + " bytes of the echo");
      }
      Lines.print("echo", "text", new String(echo, StandardCharsets.UTF_8));
    }
  }

  /** 127.0.0.1:0 and alike; a name or a bracketed IPv6 address are as good. */
  static InetSocketAddress parse(String address) {
    int colon = address.lastIndexOf(':');
    return new InetSocketAddress(
        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
  }

  static String text(InetAddress host, int port) {
    String name = host.getHostAddress();
    return (name.indexOf(':') < 0 ? name : "[" + name + "]") + ":" + port;
  }

  /** The provider's default, TLSv1.2, keeps a client from TLS 1.3. */
  private static SSLContext context(X509Source source, String id) throws Exception {
    SpiffeId peer = SpiffeId.parse(id);
    return SpiffeSslContextFactory.getSslContext(SslContextOptions.builder()
        .sslProtocol("TLSv1.3")
        .x509Source(source)
        .acceptedSpiffeIdsSupplier(() -> Set.of(peer))
        .build());
  }

  private static void accept(ServerSocket server) {
    try {
      while (true) {
        Socket connection = server.accept();
        start(() -> echo(connection));
      }
    } catch (IOException e) {
      System.err.println("accept: " + e);
    }
  }

  /** A refused peer is the peer's to tell: this side goes on. */
  private static void echo(Socket connection) {
    try (connection) {
      InputStream in = connection.getInputStream();
      in.transferTo(connection.getOutputStream());
    } catch (IOException e) {
      System.err.println("connection: " + Lines.text(e));
    }
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work);
    thread.setDaemon(true);
    thread.start();
  }
}
