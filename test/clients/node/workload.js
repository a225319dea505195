// SPDX-License-Identifier: Apache-2.0
// The Workload API as whoever has only its proto calls it.
"use strict";

const { createPrivateKey, X509Certificate } = require("node:crypto");
const path = require("node:path");

const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const CALL_SECONDS = 15;
const BACK_OFF_MS = 300;

function load(file) {
  return grpc.loadPackageDefinition(
    loader.loadSync(path.join(__dirname, file), {
      defaults: true,
      enums: String,
      keepCase: true,
    }),
  );
}

function header() {
  const metadata = new grpc.Metadata();
  metadata.set("workload.spiffe.io", "true");
  return metadata;
}

function connect() {
  const endpoint = process.env.SPIFFE_ENDPOINT_SOCKET;
  if (!endpoint) throw new Error("SPIFFE_ENDPOINT_SOCKET is not set");
  // gRPC spells a socket's address as SPIFFE does, an IP address without a scheme.
  const target = endpoint.replace(/^tcp:\/\//, "");
  const { SpiffeWorkloadAPI } = load("workload.proto");
  return new SpiffeWorkloadAPI(target, grpc.credentials.createInsecure());
}

function deadline() {
  return { deadline: new Date(Date.now() + CALL_SECONDS * 1000) };
}

// What a unary method answers.
function ask(api, method, request) {
  return new Promise((resolve, reject) => {
    api[method](request, header(), deadline(), (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

// The first message of a stream.
function first(api, method) {
  return new Promise((resolve, reject) => {
    const call = api[method]({}, header(), deadline());
    call.on("error", reject);
    call.on("end", () => reject(new Error("the stream ended without a message")));
    call.on("data", (message) => {
      resolve(message);
      call.cancel();
    });
  });
}

// Calls back for each message, and for each end of the stream, which it opens again.
function follow(api, onUpdate, onEnd) {
  const call = api.FetchX509SVID({}, header());
  call.on("data", (message) => {
    try {
      onUpdate(parse(message));
    } catch (error) {
      onEnd(error.message);
    }
  });
  call.on("error", () => {}); // its status tells the same
  call.on("status", ({ code, details }) => {
    onEnd(code === grpc.status.OK ? "the stream ended" : `${grpc.status[code]}: ${details}`);
    setTimeout(() => follow(api, onUpdate, onEnd), BACK_OFF_MS);
  });
}

// Splits concatenated DER.
function certificates(der) {
  const found = [];
  for (let at = 0; at < der.length; ) {
    let length = der[at + 1];
    let head = 2;
    if (length & 0x80) {
      const size = length & 0x7f;
      length = der.readUIntBE(at + 2, size);
      head += size;
    }
    const end = at + head + length;
    found.push(new X509Certificate(der.subarray(at, end)));
    at = end;
  }
  return found;
}

function pem(chain) {
  return chain.map(String).join("");
}

function domainOf(id) {
  return new URL(id).host;
}

// The one URI of a certificate, from node's text of all its names.
function idOf(names = "") {
  const uris = names.split(", ").filter((name) => name.startsWith("URI:"));
  if (uris.length !== 1) throw new Error(`not one URI SAN: ${names}`);
  return uris[0].slice("URI:".length);
}

function parse(message) {
  if (!message.svids.length) throw new Error("an answer without SVIDs");
  const svid = message.svids[0];
  const chain = certificates(svid.x509_svid);
  const id = idOf(chain[0].subjectAltName);
  if (id !== svid.spiffe_id) throw new Error(`${svid.spiffe_id} has ${id}'s SVID`);
  const key = createPrivateKey({
    key: svid.x509_svid_key,
    format: "der",
    type: "pkcs8",
  });
  if (!chain[0].checkPrivateKey(key)) throw new Error("not this SVID's key");
  const bundles = new Map([[domainOf(id), certificates(svid.bundle)]]);
  for (const [domain, der] of Object.entries(message.federated_bundles)) {
    bundles.set(domainOf(domain), certificates(der));
  }
  return {
    id,
    bundles,
    cert: pem(chain),
    key: key.export({ format: "pem", type: "pkcs8" }),
    facts: {
      spiffeId: id,
      serial: chain[0].serialNumber.toLowerCase().replace(/^0+/, ""),
      svids: message.svids.length,
      roots: bundles.get(domainOf(id)).length,
    },
  };
}

// What whoever talks to a peer with this SPIFFE ID needs for TLS: the peer is held
// to the authorities of its own trust domain and of no other.
function material(update, peer) {
  const bundle = update.bundles.get(domainOf(peer));
  if (!bundle) throw new Error(`no bundle of ${domainOf(peer)}`);
  return { cert: update.cert, key: update.key, ca: pem(bundle) };
}

// For checkServerIdentity: an SVID has no DNS name to compare.
function requires(peer) {
  return (_host, { subjectaltname }) => {
    try {
      const id = idOf(subjectaltname);
      return id === peer ? undefined : new Error(`the peer is ${id}`);
    } catch (error) {
      return error;
    }
  };
}

module.exports = {
  ask, certificates, connect, domainOf, first, follow, load, material, parse, requires,
};
