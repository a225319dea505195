// SPDX-License-Identifier: Apache-2.0
// What the program says, and when it ends.
"use strict";

const fs = require("node:fs");

// Written at once: a process that exits does not wait for a stream's buffer.
function say(event, facts) {
  fs.writeSync(1, `${JSON.stringify({ event, ...facts })}\n`);
}

function fail(error, status = 1) {
  say("error", { error: error.message ?? String(error) });
  process.exit(status);
}

// Ends a command that waits for somebody who does not answer. Others end when
// their connections are closed.
function limit(seconds) {
  setTimeout(() => fail(new Error(`no answer in ${seconds} s`)), seconds * 1000).unref();
}

function endWithInput() {
  process.stdin.resume().on("end", () => process.exit(0));
}

module.exports = { say, fail, limit, endWithInput };
