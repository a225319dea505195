// SPDX-License-Identifier: Apache-2.0
package client;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.spiffe.bundle.jwtbundle.JwtBundleSet;
import io.spiffe.svid.jwtsvid.JwtSvid;
import io.spiffe.svid.x509svid.X509Svid;
import io.spiffe.workloadapi.DefaultWorkloadApiClient;
import io.spiffe.workloadapi.DefaultX509Source;
import io.spiffe.workloadapi.DefaultX509Source.X509SourceOptions;
import io.spiffe.workloadapi.Watcher;
import io.spiffe.workloadapi.WorkloadApiClient;
import io.spiffe.workloadapi.X509Context;
import io.spiffe.workloadapi.X509Source;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** The commands that only talk to the Workload API. */
final class Workload {
  /** What the library's streams log to; kept here, for loggers are weakly held. */
  private static final Logger STREAMS =
      Logger.getLogger("io.spiffe.workloadapi.StreamObservers");

  private Workload() {}

  static void fetch() throws Exception {
    try (WorkloadApiClient api = DefaultWorkloadApiClient.newClient()) {
      print(soon(api::fetchX509Context));
    }
  }

  static void watch() throws Exception {
    STREAMS.addHandler(new StreamErrors());
    try (WorkloadApiClient api = DefaultWorkloadApiClient.newClient()) {
      api.watchX509Context(new Printer());
      Main.awaitEndOfInput();
      STREAMS.setLevel(Level.OFF);  // what comes of our own close is no error
    }
  }

  static void bundles() throws Exception {
    Map<String, Integer> x509 = new TreeMap<>();
    Map<String, Integer> jwt = new TreeMap<>();
    try (WorkloadApiClient api = DefaultWorkloadApiClient.newClient()) {
      soon(api::fetchX509Bundles).getBundles().forEach((domain, bundle) ->
          x509.put(domain.getName(), bundle.getX509Authorities().size()));
      soon(api::fetchJwtBundles).getBundles().forEach((domain, bundle) ->
          jwt.put(domain.getName(), bundle.getJwtAuthorities().size()));
    }
    Lines.print("bundles", "x509", x509, "jwt", jwt);
  }

  static void jwt(String audience) throws Exception {
    try (WorkloadApiClient api = DefaultWorkloadApiClient.newClient()) {
      JwtSvid svid = soon(() -> api.fetchJwtSvid(audience));
      // The fetch only parses: the signature is checked here.
      JwtBundleSet bundles = soon(api::fetchJwtBundles);
      JwtSvid valid = JwtSvid.parseAndValidate(svid.getToken(), bundles, Set.of(audience));
      Lines.print("jwt", "spiffeId", valid.getSpiffeId().toString(), "token", valid.getToken());
    }
  }

  static void validate(String audience, String token) throws Exception {
    try (WorkloadApiClient api = DefaultWorkloadApiClient.newClient()) {
      JwtSvid svid = soon(() -> api.validateJwtSvid(token, audience));
      Lines.print("valid", "spiffeId", svid.getSpiffeId().toString());
    }
  }

  /**
   * The library's source of the SVID and the bundles, kept up to date. A source that
   * cannot start tries until its time is over and then tells of the time alone: asking
   * once before it gives the status.
   */
  static X509Source source() throws Exception {
    WorkloadApiClient api = DefaultWorkloadApiClient.newClient();
    soon(api::fetchX509Context);
    return DefaultX509Source.newSource(
        X509SourceOptions.builder().workloadApiClient(api).initTimeout(Main.PATIENCE).build());
  }

  /** A call with a deadline: the library sets none, but keeps that of the context. */
  private static <T> T soon(Callable<T> call) throws Exception {
    var timer = Executors.newSingleThreadScheduledExecutor();
    try (var context = Context.current()
        .withDeadlineAfter(Main.PATIENCE.toSeconds(), TimeUnit.SECONDS, timer)) {
      return context.call(call);
    } finally {
      timer.shutdownNow();
    }
  }

  private static void print(X509Context context) throws Exception {
    X509Svid svid = context.getDefaultSvid();
    int roots = context.getX509BundleSet()
        .getBundleForTrustDomain(svid.getSpiffeId().getTrustDomain())
        .getX509Authorities().size();
    Lines.print("x509",
        "spiffeId", svid.getSpiffeId().toString(),
        "serial", svid.getLeaf().getSerialNumber().toString(16),
        "svids", context.getX509Svids().size(),
        "roots", roots);
  }

  /** Prints the updates; a failure that the library does not go on after ends all. */
  private static final class Printer implements Watcher<X509Context> {
    @Override
    public void onUpdate(X509Context update) {
      try {
        print(update);
      } catch (Exception e) {
        onError(e);
      }
    }

    @Override
    public void onError(Throwable error) {
      if (error.getCause() instanceof StatusRuntimeException) {
        Lines.print("error", "error", Lines.text(error));
        System.exit(1);
      }
      Lines.print("watch-error", "error", Lines.text(error));
    }
  }

  /**
   * The library logs a broken stream and opens the next one without a word to the
   * watcher. It also logs one that the server completed, and opens none after that.
   */
  private static final class StreamErrors extends Handler {
    @Override
    public void publish(LogRecord line) {
      if (line.getLevel().intValue() < Level.INFO.intValue()) {
        return;
      }
      String cause = line.getThrown() == null ? "" : ": " + Lines.text(line.getThrown());
      Lines.print("watch-error", "error", line.getMessage() + cause);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
