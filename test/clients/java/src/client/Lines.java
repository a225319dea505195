// SPDX-License-Identifier: Apache-2.0
package client;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the tests read: one JSON object a line, on the standard output. */
final class Lines {
  private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();
  private static final PrintStream OUT =
      new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private Lines() {}

  /** Prints an event with its members: a name, its value, a name, and so on. */
  static synchronized void print(String event, Object... members) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("event", event);
    for (int i = 0; i < members.length; i += 2) {
      line.put((String) members[i], members[i + 1]);
    }
    OUT.println(JSON.toJson(line));
  }

  /** The messages of an exception and its causes: the status is in the innermost. */
  static String text(Throwable error) {
    String text = "";
    for (Throwable e = error; e != null; e = e.getCause()) {
      String message = e.getMessage() != null ? e.getMessage() : e.getClass().getName();
      if (!text.endsWith(message)) {
        text += (text.isEmpty() ? "" : ": ") + message;
      }
    }
    return text;
  }
}
