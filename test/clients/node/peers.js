// SPDX-License-Identifier: Apache-2.0
// Mutual TLS with SVIDs, by node's own TLS.
"use strict";

const tls = require("node:tls");

const { fail, say } = require("./lines");
const { connect, first, follow, material, parse, requires } = require("./workload");

const VERSION = { minVersion: "TLSv1.3" };

function split(address) {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}

async function dial(address, peer, text) {
  const update = parse(await first(connect(), "FetchX509SVID"));
  const socket = tls.connect({
    ...split(address),
    ...material(update, peer),
    ...VERSION,
    checkServerIdentity: requires(peer),
  });
  socket.on("error", () => {}); // the loop throws what comes before the echo
  socket.setEncoding("utf8").write(text);
  let back = "";
  for await (const more of socket.iterator({ destroyOnReturn: false })) {
    back += more;
    if (back.length >= text.length) break;
  }
  if (back !== text) throw new Error(`the peer closed after "${back}"`);
  say("echo", { text: back });
  await new Promise((resolve) => socket.end(resolve));
}

function listen(address, peer) {
  const check = requires(peer);
  const server = tls.createServer({
    ...VERSION,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", (error) => console.error(error.message));
    const wrong = check(undefined, socket.getPeerCertificate());
    if (wrong) {
      console.error(wrong.message);
      socket.destroy();
    } else {
      socket.pipe(socket);
    }
  });
  server.on("tlsClientError", (error) => console.error(error.message));
  server.on("error", fail);
  follow(
    connect(),
    (update) => {
      server.setSecureContext({ ...material(update, peer), ...VERSION });
      if (server.listening) return;
      const { host, port } = split(address);
      server.listen(port, host, () => {
        const bound = server.address();
        say("listening", { address: `${bound.address}:${bound.port}` });
      });
    },
    (error) => (server.listening ? console.error(error) : fail(new Error(error))),
  );
}

module.exports = { dial, listen, split };
