// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/config/config.h"
#include "agent/issuer/ca_backup.h"
#include "agent/runtime/clock.h"
#include "agent/runtime/file_descriptor.h"
#include "control-client/cli/command.h"
#include "control-client/cli/passphrase.h"

namespace kith {
namespace {

// Both commands work on the directory itself, with or without an agent: they
// are for a machine on which no agent starts.
struct CopyOptions {
  std::string config = "/etc/kith/kith.yaml";
  std::string passphrase_file;
  std::string file;
  bool replace = false;
  bool json = false;
};

// Far more than the keys and lists of any CA.
constexpr std::streamsize kMaxBackup = 16 << 20;

// A backup file is never overwritten: it may be the only one.
absl::Status WriteNew(const std::string &path, const std::string &text) {
  const FileDescriptor fd(
      ::open(path.c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
             0600));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("creating ", path));
  }
  const ssize_t n = ::write(fd.get(), text.data(), text.size());
  if (n == static_cast<ssize_t>(text.size()) && ::fsync(fd.get()) == 0) {
    return absl::OkStatus();
  }
  const absl::Status status = absl::ErrnoToStatus(
      n < 0 ? errno : ENOSPC, absl::StrCat("writing ", path));
  (void)::unlink(path.c_str());
  return status;
}

absl::StatusOr<std::string> ReadBackup(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxBackup, '\0');
  file.read(text.data(), kMaxBackup);
  if (!file.eof()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " cannot be read, or is no backup"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

absl::Status BackUp(const Config &config, const CopyOptions &options) {
  absl::StatusOr<Secret> passphrase =
      ReadPassphrase(options.passphrase_file, /*twice=*/true);
  if (!passphrase.ok()) {
    return passphrase.status();
  }
  absl::StatusOr<CaDirectory> directory =
      CaDirectory::Open(config.embedded_ca_dir);
  if (!directory.ok()) {
    return directory.status();
  }
  absl::StatusOr<std::string> backup = BackUpCa(
      *directory, config.trust_domain, *passphrase, SystemClock().Now());
  return backup.ok() ? WriteNew(options.file, *backup) : backup.status();
}

absl::StatusOr<std::string> Restore(const Config &config,
                                    const CopyOptions &options) {
  absl::StatusOr<std::string> backup = ReadBackup(options.file);
  absl::StatusOr<Secret> passphrase =
      backup.ok() ? ReadPassphrase(options.passphrase_file, /*twice=*/false)
                  : absl::StatusOr<Secret>(backup.status());
  if (!passphrase.ok()) {
    return passphrase.status();
  }
  return RestoreCa({.directory = config.embedded_ca_dir,
                    .trust_domain = config.trust_domain,
                    .replace = options.replace},
                   *backup,
                   *passphrase,
                   SystemClock().Now());
}

int Run(const CopyOptions &options,
        bool restore,
        CommandEnvironment &environment) {
  const auto config = LoadConfig(options.config);
  absl::StatusOr<std::string> kept = config.status();
  if (config.ok() && restore) {
    kept = Restore(*config, options);
  } else if (config.ok()) {
    const absl::Status status = BackUp(*config, options);
    kept = status.ok() ? absl::StatusOr<std::string>("") : status;
  }
  if (!kept.ok()) {
    (void)ReportError(environment, kept.status());
    return kExitNegative;
  }
  Json json = {{"directory", config->embedded_ca_dir}, {"file", options.file}};
  if (!kept->empty()) {
    json["former"] = *kept;
  }
  if (options.json) {
    PrintJson(environment.out, json);
    return kExitOk;
  }
  environment.out << (restore ? "restored: " : "saved: ") << options.file
                  << '\n';
  if (!kept->empty()) {
    environment.out << "The former CA, with its keys, is in " << *kept
                    << ": remove it when it is of no use.\n";
  }
  return kExitOk;
}

void AddCopyOptions(CommandParser &parser, CopyOptions &options) {
  parser.AddOption("file",
                   options.file,
                   "the backup",
                   {.value_name = "FILE", .required = true});
  parser.AddOption("--config",
                   options.config,
                   "configuration file",
                   {.value_name = "PATH", .show_default = true});
  parser.AddOption("--passphrase-file",
                   options.passphrase_file,
                   "file with the passphrase; else the terminal is asked",
                   {.value_name = "PATH"});
  AddJsonOption(parser, options.json);
}

}  // namespace

RunCommand AttachCaCopies(CommandParser &ca) {
  auto options = std::make_shared<CopyOptions>();
  CommandParser backup =
      ca.AddSubcommand("backup", "save the CA, its keys encrypted, in a file");
  CommandParser restore =
      ca.AddSubcommand("restore", "put a saved CA in place");
  AddCopyOptions(backup, *options);
  AddCopyOptions(restore, *options);
  restore.AddFlag(
      "--replace", options->replace, "put the CA that is there aside");
  return [options, ca](CommandEnvironment &environment) {
    return Run(*options, ca.Subcommand() == "restore", environment);
  };
}

}  // namespace kith
