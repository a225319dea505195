// SPDX-License-Identifier: Apache-2.0
// The load of scripts/bench.sh, and the server that takes it.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "loads.h"

namespace {

constexpr char kUsage[] =
    "kith_load serve ADDRESS PORT\n"
    "kith_load bulk|latency|connections ADDRESS PORT SECONDS [direct]\n"
    "kith_load idle|connect-cost ADDRESS PORT COUNT\n";

}  // namespace

int main(int argc, char **argv) {
  const std::string load = argc > 3 ? argv[1] : "";
  if (load.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const auto address = kith::bench::Address::Parse(argv[2], argv[3]);
  if (load == "serve") {
    kith::bench::Serve(address);
  }
  const double amount = argc > 4 ? std::atof(argv[4]) : 0;
  if (amount <= 0) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (argc > 5 && std::string(argv[5]) == "direct") {
    kith::bench::AwaitDirect(address);
  }
  if (load == "bulk") {
    kith::bench::Bulk(address, amount);
  } else if (load == "latency") {
    kith::bench::Latency(address, amount);
  } else if (load == "connections") {
    kith::bench::Connections(address, amount);
  } else if (load == "idle") {
    kith::bench::Idle(address, static_cast<int>(amount));
  } else if (load == "connect-cost") {
    kith::bench::ConnectCost(address, static_cast<int>(amount));
  } else {
    std::fputs(kUsage, stderr);
    return 2;
  }
  return 0;
}
