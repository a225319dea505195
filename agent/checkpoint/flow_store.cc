// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/flow_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "agent/runtime/log.h"
#include "agent/runtime/sd_notify.h"

namespace kith {
namespace {

constexpr char kJournal[] = "kith-journal";
constexpr char kSecrets[] = "kith-secrets";
constexpr char kFlow[] = "kith-flow-";

std::string NameOf(size_t slot) {
  return absl::StrCat(kFlow, slot);
}

FileDescriptor Take(std::vector<NamedDescriptor> &passed,
                    std::string_view name) {
  auto found = std::ranges::find(passed, name, &NamedDescriptor::name);
  return found == passed.end() ? FileDescriptor()
                               : std::move(found->descriptor);
}

// The sockets that a former agent left end with RST (PrepareSocket).
size_t CountFlows(const std::vector<NamedDescriptor> &passed) {
  std::set<std::string_view> names;
  for (const NamedDescriptor &each : passed) {
    if (each.name.starts_with(kFlow)) {
      names.insert(each.name);
    }
  }
  return names.size();
}

}  // namespace

CheckpointPlace FlowStore::Kept::place() const {
  Journal::Slot &slot = store_.journal_->slot(slot_);
  return {.sending = &slot.sending,
          .receiving = &slot.receiving,
          .sending_secrets = store_.secrets_->sending(slot_),
          .receiving_secrets = store_.secrets_->receiving(slot_)};
}

void FlowStore::Kept::Fill(const std::string &description,
                           const RelayOutline &outline) {
  store_.journal_->Fill(
      slot_, description, CookieOf(outline.inner), CookieOf(outline.outer));
  store_.messages_.Keep(NameOf(slot_), {outline.inner, outline.outer});
  stored_ = true;
}

size_t FlowStore::Discard(std::vector<NamedDescriptor> passed) {
  std::set<std::string_view> names;
  for (const NamedDescriptor &each : passed) {
    if (each.name.starts_with("kith-") && names.insert(each.name).second) {
      (void)RemoveStored(each.name);
    }
  }
  return CountFlows(passed);
}

absl::StatusOr<std::unique_ptr<FlowStore>> FlowStore::Create(
    std::vector<NamedDescriptor> passed, FileDescriptor parent) {
  if (!HasServiceManager()) {
    return absl::FailedPreconditionError(
        "no service manager keeps descriptors: NOTIFY_SOCKET is not set");
  }
  std::unique_ptr<FlowStore> store(new FlowStore(std::move(parent)));
  if (auto opened = store->OpenMemory(passed); !opened.ok()) {
    (void)Discard(std::move(passed));
    return opened;
  }
  store->Find(passed);
  return store;
}

// OpenMemory takes over the former agent's memory, or creates new memory.
absl::Status FlowStore::OpenMemory(std::vector<NamedDescriptor> &passed) {
  FileDescriptor journal = Take(passed, kJournal);
  FileDescriptor secrets = Take(passed, kSecrets);
  if (journal.valid() || secrets.valid() || CountFlows(passed) > 0) {
    auto old_journal = Journal::Open(std::move(journal));
    auto old_shelf = SecretMemfd::Open(std::move(secrets));
    if (old_journal.ok() && old_shelf.ok()) {
      journal_ = *std::move(old_journal);
      secrets_ = *std::move(old_shelf);
      return absl::OkStatus();
    }
    const absl::Status why =
        old_journal.ok() ? old_shelf.status() : old_journal.status();
    Log(LogLevel::kError,
        "the kept flows cannot be gone on with: they are reset",
        {{"flows", CountFlows(passed)}, {"error", why.message()}});
    (void)Discard(std::exchange(passed, {}));
    messages_.Drop(kJournal);
    messages_.Drop(kSecrets);
  }
  auto new_shelf = SecretMemfd::Create();
  auto new_journal = Journal::Create();
  if (!new_shelf.ok() || !new_journal.ok()) {
    return new_shelf.ok() ? new_journal.status() : new_shelf.status();
  }
  secrets_ = *std::move(new_shelf);
  journal_ = *std::move(new_journal);
  messages_.Keep(kJournal, {journal_->fd()});
  messages_.Keep(kSecrets, {secrets_->fd()});
  return absl::OkStatus();
}

void FlowStore::Find(std::vector<NamedDescriptor> &passed) {
  std::map<std::string, std::vector<FileDescriptor>> flows;
  for (NamedDescriptor &each : passed) {
    if (each.name.starts_with(kFlow)) {
      flows[each.name].push_back(std::move(each.descriptor));
    }
  }
  for (auto &[name, sockets] : flows) {
    FindOne(name, std::move(sockets));
  }
  for (size_t slot = 0; slot < Journal::kSlots; ++slot) {
    if (!taken_[slot]) {  // e.g. one whose sockets were not stored yet
      journal_->Free(slot);
      secrets_->Wipe(slot);
    }
  }
}

void FlowStore::FindOne(const std::string &name,
                        std::vector<FileDescriptor> sockets) {
  size_t slot = 0;
  absl::Status found = absl::InvalidArgumentError("no flow has such a name");
  if (absl::SimpleAtoi(absl::StripPrefix(name, kFlow), &slot) &&
      slot < Journal::kSlots && NameOf(slot) == name && sockets.size() == 2) {
    auto flow = Recover(*journal_,
                        *secrets_,
                        slot,
                        {std::move(sockets[0]), std::move(sockets[1])});
    if (flow.ok()) {
      taken_[slot] = true;
      ++count_;
      found_.push_back(
          {*std::move(flow), std::make_shared<Kept>(*this, slot, true)});
      return;
    }
    found = flow.status();
  }
  messages_.Drop(name);
  Log(LogLevel::kError,
      "a kept flow cannot be gone on with: it is reset",
      {{"name", name}, {"error", found.message()}});
}

absl::StatusOr<std::shared_ptr<FlowStore::Kept>> FlowStore::Reserve() {
  const std::lock_guard lock(mutex_);
  if (count_ == Journal::kSlots) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Journal::kSlots, " flows are kept already"));
  }
  while (taken_[next_]) {
    next_ = (next_ + 1) % Journal::kSlots;
  }
  taken_[next_] = true;
  ++count_;
  return std::make_shared<Kept>(*this, next_, false);
}

void FlowStore::Leave() {
  messages_.Abandon();
  left_ = true;
}

void FlowStore::Drop(size_t slot, bool stored) {
  if (left_) {
    return;
  }
  journal_->Free(slot);
  secrets_->Wipe(slot);
  if (stored) {  // before another flow may have the name
    messages_.Drop(NameOf(slot));
  }
  const std::lock_guard lock(mutex_);
  taken_[slot] = false;
  --count_;
}

size_t FlowStore::kept() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

FlowStore::~FlowStore() {
  found_.clear();
  if (journal_ != nullptr && !left_) {
    messages_.Drop(kJournal);
    messages_.Drop(kSecrets);
  }
}

}  // namespace kith
