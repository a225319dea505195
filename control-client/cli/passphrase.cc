// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

constexpr size_t kMaxBytes = 1024;

// ReadLine reads up to the first newline, straight into locked memory.
absl::StatusOr<Secret> ReadLine(int fd, std::string_view from) {
  absl::StatusOr<Secret> buffer = Secret::Create(kMaxBytes + 1);
  if (!buffer.ok()) {
    return buffer.status();
  }
  size_t size = 0;
  for (; size <= kMaxBytes; ++size) {
    uint8_t *const next = buffer->bytes().data() + size;
    const ssize_t n = ::read(fd, next, 1);
    if (n < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("reading ", from));
    }
    if (n == 0 || *next == '\n') {
      break;
    }
  }
  if (size == 0 || size > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the passphrase in ",
                                                   from,
                                                   " is empty or longer than ",
                                                   kMaxBytes,
                                                   " bytes"));
  }
  return Secret::CopyFrom(std::as_const(*buffer).bytes().first(size));
}

// SilentTerminal disables the echo of typed characters while it lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    known_ = ::tcgetattr(fd, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    known_ = known_ && ::tcsetattr(fd, TCSAFLUSH, &silent) == 0;
  }
  SilentTerminal(const SilentTerminal &) = delete;
  SilentTerminal &operator=(const SilentTerminal &) = delete;
  ~SilentTerminal() {
    if (known_) {
      (void)::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
  }

 private:
  const int fd_;
  termios before_{};
  bool known_ = false;
};

absl::StatusOr<Secret> Ask(int terminal, std::string_view question) {
  if (::write(terminal, question.data(), question.size()) < 0) {
    return absl::ErrnoToStatus(errno, "writing to the terminal");
  }
  const SilentTerminal silent(terminal);
  return ReadLine(terminal, "the terminal");
}

}  // namespace

absl::StatusOr<Secret> ReadPassphrase(const std::string &file, bool twice) {
  const char *const path = file.empty() ? "/dev/tty" : file.c_str();
  const FileDescriptor fd(
      ::open(path, (file.empty() ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) {
    return file.empty()
               ? absl::FailedPreconditionError(
                     "there is no terminal to ask for the passphrase: "
                     "use --passphrase-file")
               : absl::ErrnoToStatus(errno, absl::StrCat("opening ", file));
  }
  if (!file.empty()) {
    return ReadLine(fd.get(), file);
  }
  absl::StatusOr<Secret> first = Ask(fd.get(), "Passphrase of the backup: ");
  if (!first.ok() || !twice) {
    return first;
  }
  absl::StatusOr<Secret> second = Ask(fd.get(), "Once more: ");
  if (!second.ok()) {
    return second.status();
  }
  if (!std::ranges::equal(std::as_const(*first).bytes(),
                          std::as_const(*second).bytes())) {
    return absl::InvalidArgumentError("these are two passphrases");
  }
  return first;
}

}  // namespace kith
