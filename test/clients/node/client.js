#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The commands of ../README.md by grpc-js and the public proto.
"use strict";

const jwt = require("./jwt");
const { endWithInput, fail, limit, say } = require("./lines");
const peers = require("./peers");
const rpc = require("./rpc");
const { ask, certificates, connect, domainOf, first, follow, parse } = require("./workload");

function count(bundles, counter) {
  return Object.fromEntries(
    Object.entries(bundles).map(([id, bundle]) => [domainOf(id), counter(bundle)]),
  );
}

const COMMANDS = {
  async fetch() {
    say("x509", parse(await first(connect(), "FetchX509SVID")).facts);
  },

  watch() {
    follow(
      connect(),
      (update) => say("x509", update.facts),
      (error) => say("watch-error", { error }),
    );
  },

  async bundles() {
    const api = connect();
    const [x509, jwks] = await Promise.all([
      first(api, "FetchX509Bundles"),
      first(api, "FetchJWTBundles"),
    ]);
    say("bundles", {
      x509: count(x509.bundles, (der) => certificates(der).length),
      jwt: count(jwks.bundles, (set) => JSON.parse(set.toString()).keys.length),
    });
  },

  async jwt(audience) {
    const api = connect();
    const { svids } = await ask(api, "FetchJWTSVID", { audience: [audience] });
    const { bundles } = await first(api, "FetchJWTBundles");
    const [{ spiffe_id: spiffeId, svid: token }] = svids;
    const subject = jwt.check(token, bundles, audience);
    if (subject !== spiffeId) throw new Error(`${spiffeId} has ${subject}'s token`);
    say("jwt", { spiffeId, token });
  },

  async validate(audience, svid) {
    const answer = await ask(connect(), "ValidateJWTSVID", { audience, svid });
    say("valid", { spiffeId: answer.spiffe_id });
  },

  listen: peers.listen,
  dial: peers.dial,
  "grpc-listen": rpc.listen,
  "grpc-dial": rpc.dial,
};

const UNTIL_INPUT_ENDS = ["watch", "listen", "grpc-listen"];
const ONE_SHOT_SECONDS = 20;

async function main([name, ...of]) {
  const command = COMMANDS[name];
  if (!command) fail(new Error(`no command '${name}'`), 2);
  if (UNTIL_INPUT_ENDS.includes(name)) {
    endWithInput();
    command(...of);
  } else {
    limit(ONE_SHOT_SECONDS);
    await command(...of);
  }
}

main(process.argv.slice(2)).catch(fail);
