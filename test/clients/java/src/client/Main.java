// SPDX-License-Identifier: Apache-2.0
package client;

import java.io.IOException;
import java.time.Duration;

/** The commands of test/clients/README.md, made of java-spiffe. */
public final class Main {
  /** Every wait of a command that ends by itself, and of every start. */
  static final Duration PATIENCE = Duration.ofSeconds(20);

  private Main() {}

  public static void main(String[] args) {
    int code = 0;
    try {
      run(args);
    } catch (Exception e) {
      Lines.print("error", "error", Lines.text(e));
      code = 1;
    }
    // The library's threads are no daemons: nothing else ends the program.
    System.exit(code);
  }

  private static void run(String[] args) throws Exception {
    String command = args.length > 0 ? args[0] : "";
    switch (command) {
      case "fetch" -> Workload.fetch();
      case "watch" -> Workload.watch();
      case "bundles" -> Workload.bundles();
      case "jwt" -> Workload.jwt(argument(args, 1));
      case "validate" -> Workload.validate(argument(args, 1), argument(args, 2));
      case "listen" -> TlsPeers.listen(argument(args, 1), argument(args, 2));
      case "dial" -> TlsPeers.dial(argument(args, 1), argument(args, 2), argument(args, 3));
      case "grpc-listen" -> GrpcPeers.listen(argument(args, 1), argument(args, 2));
      case "grpc-dial" -> GrpcPeers.dial(argument(args, 1), argument(args, 2));
      default -> throw new IllegalArgumentException("no command '" + command + "'");
    }
  }

  private static String argument(String[] args, int index) {
    if (index >= args.length) {
      throw new IllegalArgumentException(args[0] + ": too few arguments");
    }
    return args[index];
  }

  /** The end of the input is how a test ends a program that has no end. */
  static void awaitEndOfInput() throws IOException {
    while (System.in.read() >= 0) {
      continue;
    }
  }
}
