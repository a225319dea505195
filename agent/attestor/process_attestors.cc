// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/process_attestors.h"

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

class NameAttestor final : public Attestor {
 public:
  std::string_view name() const override { return "process name"; }
  std::vector<std::string> keys() const override { return {"process:name"}; }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (!process.comm.ok()) {
      return process.comm.status();
    }
    selectors.push_back(
        {"process:name", *process.comm, process.Source("comm")});
    // comm is cut to 15 bytes, and a thread may rename itself.
    if (!process.exe_path.ok() &&
        !absl::IsNotFound(process.exe_path.status())) {
      return process.exe_path.status();
    }
    if (process.exe_path.ok()) {
      std::string base =
          process.exe_path->substr(process.exe_path->rfind('/') + 1);
      if (base != *process.comm) {
        selectors.push_back(
            {"process:name", std::move(base), process.Source("exe")});
      }
    }
    return absl::OkStatus();
  }
};

class CmdlineAttestor final : public Attestor {
 public:
  std::string_view name() const override { return "process cmdline"; }
  std::vector<std::string> keys() const override { return {"process:cmdline"}; }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (process.cmdline.ok()) {
      selectors.push_back(
          {"process:cmdline", *process.cmdline, process.Source("cmdline")});
    }
    return process.cmdline.status();
  }
};

class BinaryPathAttestor final : public Attestor {
 public:
  std::string_view name() const override { return "process binary path"; }
  std::vector<std::string> keys() const override {
    return {"process:binary:path"};
  }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (process.exe_path.ok()) {
      selectors.push_back(
          {"process:binary:path", *process.exe_path, process.Source("exe")});
    }
    return process.exe_path.status();
  }
};

class EffectiveUserAttestor final : public Attestor {
 public:
  std::string_view name() const override { return "process user"; }
  std::vector<std::string> keys() const override {
    return {"process:uid",
            "process:uid:effective",
            "process:gid",
            "process:gid:effective"};
  }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    const std::string &source = process.facts_source;
    for (const char *key : {"process:uid", "process:uid:effective"}) {
      selectors.push_back({key, absl::StrCat(process.facts.uid), source});
    }
    for (const char *key : {"process:gid", "process:gid:effective"}) {
      selectors.push_back({key, absl::StrCat(process.facts.gid), source});
    }
    return absl::OkStatus();
  }
};

class RealUserAttestor final : public Attestor {
 public:
  std::string_view name() const override { return "process real user"; }
  std::vector<std::string> keys() const override {
    return {"process:uid:real", "process:gid:real", "process:gid:additional"};
  }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (!process.credentials.ok()) {
      return process.credentials.status();
    }
    const ProcessCredentials &credentials = *process.credentials;
    const std::string source = process.Source("status");
    if (credentials.effective_uid != process.facts.uid ||
        credentials.effective_gid != process.facts.gid) {
      return absl::AbortedError(absl::StrCat(
          source,
          ": uid ",
          credentials.effective_uid,
          " gid ",
          credentials.effective_gid,
          ", but the hook saw uid ",
          process.facts.uid,
          " gid ",
          process.facts.gid,
          ": the process changed its user meanwhile, or the agent runs in a "
          "user namespace of its own"));
    }
    selectors.push_back(
        {"process:uid:real", absl::StrCat(credentials.real_uid), source});
    selectors.push_back(
        {"process:gid:real", absl::StrCat(credentials.real_gid), source});
    for (uint32_t group : credentials.groups) {
      selectors.push_back(
          {"process:gid:additional", absl::StrCat(group), source});
    }
    return absl::OkStatus();
  }
};

}  // namespace

std::unique_ptr<Attestor> CreateNameAttestor() {
  return std::make_unique<NameAttestor>();
}

std::unique_ptr<Attestor> CreateCmdlineAttestor() {
  return std::make_unique<CmdlineAttestor>();
}

std::unique_ptr<Attestor> CreateBinaryPathAttestor() {
  return std::make_unique<BinaryPathAttestor>();
}

std::unique_ptr<Attestor> CreateEffectiveUserAttestor() {
  return std::make_unique<EffectiveUserAttestor>();
}

std::unique_ptr<Attestor> CreateRealUserAttestor() {
  return std::make_unique<RealUserAttestor>();
}

}  // namespace kith
