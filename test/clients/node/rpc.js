// SPDX-License-Identifier: Apache-2.0
// gRPC between workloads: grpc-js with SVIDs.
"use strict";

const grpc = require("@grpc/grpc-js");

const { fail, say } = require("./lines");
const { split } = require("./peers");
const workload = require("./workload");

const { Health } = workload.load("health.proto").grpc.health.v1;

// Gives grpc-js the latest SVID and bundle. It must not call back while it is
// asked: the server adds itself to those that are told only afterwards.
class Provider {
  #listeners = { ca: new Set(), identity: new Set() };
  #latest;

  set({ ca, cert, key }) {
    this.#latest = {
      ca: { caCertificate: Buffer.from(ca) },
      identity: { certificate: Buffer.from(cert), privateKey: Buffer.from(key) },
    };
    for (const [kind, listeners] of Object.entries(this.#listeners)) {
      for (const listener of listeners) listener(this.#latest[kind]);
    }
  }

  #add(kind, listener) {
    this.#listeners[kind].add(listener);
    process.nextTick(() => listener(this.#latest[kind]));
  }

  addCaCertificateListener(listener) { this.#add("ca", listener); }
  removeCaCertificateListener(listener) { this.#listeners.ca.delete(listener); }
  addIdentityCertificateListener(listener) { this.#add("identity", listener); }
  removeIdentityCertificateListener(listener) { this.#listeners.identity.delete(listener); }
}

function serve(address, credentials, check) {
  const server = new grpc.Server();
  server.addService(Health.service, {
    Check(call, answer) {
      const wrong = check(call.getAuthContext().sslPeerCertificate);
      if (wrong) answer({ code: grpc.status.PERMISSION_DENIED, details: wrong.message });
      else answer(null, { status: "SERVING" });
    },
  });
  server.bindAsync(address, credentials, (error, port) => {
    if (error) fail(error);
    else say("listening", { address: `${split(address).host}:${port}` });
  });
}

function listen(address, peer) {
  if (peer === "plain") {
    serve(address, grpc.ServerCredentials.createInsecure(), () => undefined);
    return;
  }
  const provider = new Provider();
  const check = workload.requires(peer);
  let serving = false;
  workload.follow(
    workload.connect(),
    (update) => {
      provider.set(workload.material(update, peer));
      if (serving) return;
      serving = true;
      // createSsl would keep the SVID that it is given for ever.
      const { createCertificateProviderServerCredentials } = grpc.experimental;
      serve(
        address,
        createCertificateProviderServerCredentials(provider, provider, true),
        (certificate) => check(undefined, certificate ?? {}),
      );
    },
    (error) => (serving ? console.error(error) : fail(new Error(error))),
  );
}

async function credentialsFor(peer) {
  if (peer === "plain") return grpc.credentials.createInsecure();
  const update = workload.parse(await workload.first(workload.connect(), "FetchX509SVID"));
  const { ca, cert, key } = workload.material(update, peer);
  return grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert), {
    checkServerIdentity: workload.requires(peer),
  });
}

async function dial(address, peer) {
  const client = new Health(address, await credentialsFor(peer));
  const { status } = await workload.ask(client, "Check", {});
  client.close();
  say("grpc", { status });
}

module.exports = { dial, listen };
