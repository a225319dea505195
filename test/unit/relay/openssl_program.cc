// SPDX-License-Identifier: Apache-2.0
#include "test/unit/relay/openssl_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <openssl/pem.h>

#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

std::string CertificatesPem(const std::vector<Der> &certificates) {
  bssl::UniquePtr<BIO> text(BIO_new(BIO_s_mem()));
  for (const Der &der : certificates) {
    Expect(PEM_write_bio(text.get(),
                         "CERTIFICATE",
                         "",
                         der.data(),
                         static_cast<long>(der.size())) > 0,
           "PEM_write_bio");
  }
  const uint8_t *bytes = nullptr;
  size_t length = 0;
  BIO_mem_contents(text.get(), &bytes, &length);
  return {bytes, bytes + length};
}

void WriteFile(const std::string &path, std::string_view text) {
  std::ofstream file(path);
  file << text;
  Expect(file.good(), path.c_str());
}

}  // namespace

PemDirectory::PemDirectory(const TestTrust &trust, ForgeryKind kind)
    : path_((std::filesystem::temp_directory_path() / "kith-pem-XXXXXX")
                .string()) {
  Expect(mkdtemp(path_.data()) != nullptr, "mkdtemp");
  ForgedSvid svid =
      trust.forge()
          .Make(kind,
                SpiffeId::FromPath(trust.domain(), "openssl").value(),
                std::chrono::system_clock::now())
          .value();
  Secret key = EncodePrivateKey(svid.key.get()).value();
  WriteFile(path("svid.pem"), CertificatesPem(svid.chain));
  WriteFile(
      path("key.pem"),
      {reinterpret_cast<const char *>(key.bytes().data()), key.bytes().size()});
  WriteFile(path("ca.pem"),
            CertificatesPem(trust.forge().authorities().certificates));
}

PemDirectory::~PemDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

OpensslProgram::OpensslProgram(const std::vector<std::string> &arguments) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  Expect(pipe2(to.data(), O_CLOEXEC) == 0, "pipe2");
  Expect(pipe2(from.data(), O_CLOEXEC) == 0, "pipe2");
  FileDescriptor child_input(to[0]);
  FileDescriptor child_output(from[1]);
  input_.Reset(to[1]);
  output_.Reset(from[0]);

  std::vector<char *> argv = {const_cast<char *>("openssl")};
  for (const std::string &argument : arguments) {
    argv.push_back(const_cast<char *>(argument.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, child_input.get(), STDIN_FILENO);
  for (int output : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_adddup2(&actions, child_output.get(), output);
  }
  errno =
      posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  Expect(errno == 0, "posix_spawnp openssl");
}

OpensslProgram::~OpensslProgram() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void OpensslProgram::Type(std::string_view text) {
  Expect(write(input_.get(), text.data(), text.size()) ==
             static_cast<ssize_t>(text.size()),
         "write to openssl");
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  int unread = 1;
  while (unread > 0) {
    Expect(ioctl(input_.get(), FIONREAD, &unread) == 0 &&
               std::chrono::steady_clock::now() < deadline,
           "openssl to read its input");
    std::this_thread::yield();
  }
}

std::string OpensslProgram::ReadUntil(std::string_view text) {
  for (;;) {
    if (size_t at = pending_.find(text); at != std::string::npos) {
      std::string found = pending_.substr(0, at + text.size());
      pending_.erase(0, found.size());
      return found;
    }
    pollfd readable{.fd = output_.get(), .events = POLLIN, .revents = 0};
    int patience =
        static_cast<int>(std::chrono::milliseconds(kPatience).count());
    std::array<char, 4096> buffer;
    ssize_t count = poll(&readable, 1, patience) == 1
                        ? read(output_.get(), buffer.data(), buffer.size())
                        : 0;
    if (count <= 0) {
      throw std::runtime_error("openssl did not print '" + std::string(text) +
                               "' but: " + pending_);
    }
    pending_.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace kith
