// SPDX-License-Identifier: Apache-2.0
// What another process has left in the journal is anybody's bytes.
#include "agent/checkpoint/journal.h"

#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "agent/checkpoint/secret_memfd.h"
#include "agent/checkpoint/stored_flow.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

FileDescriptor Duplicate(int fd) {
  return FileDescriptor(dup(fd));
}

std::unique_ptr<Journal> NewJournal() {
  auto journal = Journal::Create();
  REQUIRE(journal.ok());
  return *std::move(journal);
}

std::unique_ptr<SecretMemfd> NewShelf() {
  auto secrets = SecretMemfd::Create();
  INFO(secrets.status().message());
  REQUIRE(secrets.ok());
  return *std::move(secrets);
}

TEST_CASE("what is filled in is found by the next process") {
  const auto journal = NewJournal();
  journal->Fill(7, "a flow", 11, 12);
  CheckpointPosition position;
  position.source = 5;
  journal->slot(7).sending.Write(position);
  position.source = 6;
  journal->slot(7).sending.Write(position);

  auto next = Journal::Open(Duplicate(journal->fd()));
  REQUIRE(next.ok());
  CHECK(*(*next)->Description(7) == "a flow");
  CHECK((*next)->slot(7).inner_cookie == 11);
  CHECK((*next)->slot(7).sending.Read().source == 6);
  (*next)->Free(7);
  CHECK_FALSE(journal->Description(7).ok());
}

TEST_CASE("a position is whole at any moment") {
  CheckpointEntry entry;
  CheckpointPosition position;
  for (uint64_t i = 1; i < 100; ++i) {
    position.source = i;
    position.target = 2 * i;
    entry.Write(position);
    CHECK(entry.Read().source == i);
    CHECK(entry.Read().target == 2 * i);
  }
}

TEST_CASE("other memory is no journal, and no secrets") {
  for (const size_t size : {size_t{0}, size_t{100}, size_t{64} << 20}) {
    FileDescriptor memory(memfd_create("other", MFD_CLOEXEC));
    REQUIRE(ftruncate(memory.get(), static_cast<off_t>(size)) == 0);
    CHECK_FALSE(Journal::Open(Duplicate(memory.get())).ok());
    CHECK_FALSE(SecretMemfd::Open(Duplicate(memory.get())).ok());
  }
  CHECK_FALSE(Journal::Open(FileDescriptor()).ok());
  const auto journal = NewJournal();
  CHECK_FALSE(SecretMemfd::Open(Duplicate(journal->fd())).ok());
}

TEST_CASE("another version's journal is refused") {
  const auto journal = NewJournal();
  const uint32_t version = 99;
  REQUIRE(pwrite(journal->fd(), &version, sizeof(version), 8) ==
          sizeof(version));
  CHECK_FALSE(Journal::Open(Duplicate(journal->fd())).ok());
}

TEST_CASE("secrets stay until they are wiped") {
  const auto secrets = NewShelf();
  secrets->sending(3)[0][0] = 1;
  secrets->receiving(3)[1][47] = 2;
  secrets->sending(4)[0][0] = 3;
  auto next = SecretMemfd::Open(Duplicate(secrets->fd()));
  REQUIRE(next.ok());
  CHECK((*next)->receiving(3)[1][47] == 2);
  (*next)->Wipe(3);
  CHECK(secrets->sending(3)[0][0] == 0);
  CHECK(secrets->receiving(3)[1][47] == 0);
  CHECK(secrets->sending(4)[0][0] == 3);
}

TEST_CASE("nonsense in a slot is refused") {
  const auto journal = NewJournal();
  const auto secrets = NewShelf();
  std::minstd_rand generator(1);
  for (int round = 0; round < 2000; ++round) {
    auto [inner, outer] = ConnectedPair();
    std::string description(generator() % 300, '\0');
    for (char &byte : description) {
      byte = static_cast<char>(generator() >> 8);
    }
    journal->Fill(0, description, CookieOf(inner.get()), CookieOf(outer.get()));
    if (round % 2 == 0) {
      journal->slot(0).length = static_cast<uint32_t>(generator());
    }
    CHECK_FALSE(
        Recover(*journal, *secrets, 0, {std::move(inner), std::move(outer)})
            .ok());
  }
}

TEST_CASE("sockets that are not the slot's are refused") {
  const auto journal = NewJournal();
  const auto secrets = NewShelf();
  auto [inner, outer] = ConnectedPair();
  FlowRecord record;
  record.id = 1;
  journal->Fill(0,
                Describe(record, AttestedProcess(), RelayOutline()),
                CookieOf(inner.get()),
                CookieOf(outer.get()));
  auto [other, another] = ConnectedPair();
  CHECK_FALSE(
      Recover(*journal, *secrets, 0, {Duplicate(inner.get()), std::move(other)})
          .ok());
  // In any order.
  CHECK(Recover(*journal,
                *secrets,
                0,
                {Duplicate(outer.get()), Duplicate(inner.get())})
            .ok());
  CheckpointPosition position;
  position.source_chunk = 1U << 30;
  journal->slot(0).receiving.Write(position);
  CHECK_FALSE(
      Recover(*journal, *secrets, 0, {std::move(outer), std::move(inner)})
          .ok());
}

}  // namespace
}  // namespace kith
