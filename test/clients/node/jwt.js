// SPDX-License-Identifier: Apache-2.0
// A JWT-SVID against the keys of its trust domain.
"use strict";

const { constants, createPublicKey, verify } = require("node:crypto");

const { domainOf } = require("./workload");

const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};
const FAMILIES = {
  ES: { dsaEncoding: "ieee-p1363" },
  PS: PSS,
  RS: { padding: constants.RSA_PKCS1_PADDING },
};

function decode(part) {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

// Returns the SPIFFE ID; `bundles` has JWK sets by the trust domain's SPIFFE ID.
function check(token, bundles, audience) {
  const [head, body, signature] = token.split(".");
  const { alg, kid } = decode(head);
  const claims = decode(body);
  const set = bundles[`spiffe://${domainOf(claims.sub)}`];
  if (!set) throw new Error(`no JWT bundle of ${domainOf(claims.sub)}`);
  const jwk = JSON.parse(set.toString()).keys.find((key) => key.kid === kid);
  if (!jwk) throw new Error(`no key ${kid}`);
  const key = { ...FAMILIES[alg.slice(0, 2)], key: createPublicKey({ key: jwk, format: "jwk" }) };
  const good = verify(
    `sha${alg.slice(2)}`,
    Buffer.from(`${head}.${body}`),
    key,
    Buffer.from(signature, "base64url"),
  );
  if (!good) throw new Error("the signature is wrong");
  if (![claims.aud].flat().includes(audience)) throw new Error("another audience");
  if (!(claims.exp > Date.now() / 1000)) throw new Error("expired");
  return claims.sub;
}

module.exports = { check };
