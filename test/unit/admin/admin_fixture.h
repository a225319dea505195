// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "test/fakes/fake_agent_view.h"
#include "test/fakes/temporary_directory.h"

namespace kith {

// AdminFixture is a server over a fake agent. Start it after filling `view`.
class AdminFixture {
 public:
  AdminFixture() : socket(directory_.File("admin.sock")) {}

  void Start() {
    auto created = AdminServer::Create(
        {.socket_path = socket,
         .group = "",
         .on_audit = [this](std::string line) { Record(std::move(line)); }},
        &view);
    server = *std::move(created);
  }

  std::vector<std::string> audit() {
    const std::lock_guard lock(mutex_);
    return audit_;
  }

 private:
  void Record(std::string line) {
    const std::lock_guard lock(mutex_);
    audit_.push_back(std::move(line));
  }

  const TemporaryDirectory directory_;
  std::mutex mutex_;
  std::vector<std::string> audit_;

 public:
  const std::string socket;
  FakeAgentView view;
  std::unique_ptr<AdminServer> server;  // ends before what it uses
};

}  // namespace kith
