// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "agent/runtime/file_descriptor.h"
#include "kith/process.h"

namespace kith {

// FactsOf and ImageOf return what a hook would see of the process now.
ProcessFacts FactsOf(pid_t pid);
ProcessImage ImageOf(pid_t pid);

// ChildProgram is a real process: a child that waits for Exec, and then runs a
// program with its standard input held open. Killed on destruction.
class ChildProgram {
 public:
  ChildProgram(std::string path, std::vector<std::string> arguments);
  ChildProgram(const ChildProgram &) = delete;
  ChildProgram &operator=(const ChildProgram &) = delete;
  ~ChildProgram();

  // Exec lets the child do exec, and returns when the program runs.
  void Exec();
  // Kill ends the child, which stays a zombie.
  void Kill();
  // Reap removes the zombie too.
  void Reap();

  ProcessFacts facts() const { return FactsOf(pid_); }
  ProcessImage image() const { return ImageOf(pid_); }

 private:
  [[noreturn]] void RunChild();

  const std::string path_;
  const std::vector<std::string> arguments_;
  FileDescriptor start_;    // one byte: do exec
  FileDescriptor started_;  // ends with exec
  FileDescriptor input_;
  pid_t pid_ = -1;
};

}  // namespace kith
