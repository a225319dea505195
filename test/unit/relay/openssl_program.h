// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/runtime/file_descriptor.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {

// PemDirectory is a temporary directory with the files that the openssl command
// wants: svid.pem (chain), key.pem, ca.pem.
class PemDirectory {
 public:
  PemDirectory(const TestTrust &trust, ForgeryKind kind);
  ~PemDirectory();
  PemDirectory(const PemDirectory &) = delete;
  PemDirectory &operator=(const PemDirectory &) = delete;
  std::string path(std::string_view file) const {
    return path_ + "/" + std::string(file);
  }

 private:
  std::string path_;
};

// OpensslProgram is the system's openssl command with pipes to it.
class OpensslProgram {
 public:
  explicit OpensslProgram(const std::vector<std::string> &arguments);
  ~OpensslProgram();  // kills it
  OpensslProgram(const OpensslProgram &) = delete;
  OpensslProgram &operator=(const OpensslProgram &) = delete;

  // Type returns when the program has read the text: s_client and s_server
  // know a command only by its being first in a read.
  void Type(std::string_view text);
  // ReadUntil returns the output up to and with `text`; throws where the
  // program ends, or is silent for kPatience, before.
  std::string ReadUntil(std::string_view text);

 private:
  pid_t pid_ = -1;
  FileDescriptor input_;
  FileDescriptor output_;
  std::string pending_;
};

}  // namespace kith
