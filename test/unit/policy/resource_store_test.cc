// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resource_store.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "catch2/catch_test_macros.hpp"

#include "test/unit/config/scratch_directory.h"
#include "test/unit/policy/documents.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

std::string Identity(const std::string &name) {
  return IdentityYaml(name,
                      "workloadID: " + name +
                          "\nselectors: "
                          "[{process:name: a}]");
}

// Report is what the store said of one load.
struct Report {
  absl::Status error;
  std::shared_ptr<const ResourceSet> set;
};

// Loads collects the reports.
class Loads {
 public:
  ResourceStore::OnLoad Callback() {
    return [this](const auto &loaded) {
      const std::lock_guard lock(mutex_);
      loads_.push_back({loaded.status(), loaded.ok() ? *loaded : nullptr});
      changed_.notify_all();
    };
  }

  // Next waits for the next report; the time is that of a dead machine.
  Report Next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [this] {
          return !loads_.empty();
        })) {
      FAIL("nothing was loaded");
    }
    Report first = loads_.front();
    loads_.pop_front();
    return first;
  }

  // NextWith skips reports until one has `count` identities: two changes may
  // be seen as one or as two.
  std::shared_ptr<const ResourceSet> NextWith(size_t count) {
    for (;;) {
      const Report report = Next();
      if (report.set != nullptr && report.set->identities.size() == count) {
        return report.set;
      }
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Report> loads_;
};

// Replace puts a whole file in its place at once.
void Replace(const ScratchDirectory &scratch,
             const std::string &name,
             const std::string &text) {
  fs::rename(scratch.Write(".new", text), scratch / name);
}

std::unique_ptr<ResourceStore> Follow(const std::string &path, Loads &loads) {
  auto store = ResourceStore::Create({path}, "td", loads.Callback());
  INFO(store.status().message());
  REQUIRE(store.ok());
  return *std::move(store);
}

TEST_CASE("files that are made, changed, renamed and removed are followed") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  CHECK(store->current()->generation == 1);
  CHECK(store->current()->identities.size() == 1);

  Replace(scratch, "b.yaml", Identity("b"));
  CHECK(loads.NextWith(2)->generation == 2);

  Replace(scratch, "b.yaml", Identity("b") + Identity("c"));
  CHECK(loads.NextWith(3)->generation == 3);

  fs::rename(scratch / "b.yaml", scratch / "b.off");
  loads.NextWith(1);

  fs::rename(scratch / "b.off", scratch / "b.yaml");
  loads.NextWith(3);

  fs::remove(scratch / "a.yaml");
  const auto last = loads.NextWith(2);
  CHECK(store->current() == last);
  CHECK(store->status().last_error.ok());

  scratch.Write("d.yaml", Identity("d"));
  loads.NextWith(3);
  scratch.Write("d.yaml", Identity("d") + Identity("e"));
  loads.NextWith(4);
}

TEST_CASE("an error leaves the last good set in force") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  const auto good = store->current();
  const auto loaded_at = store->status().loaded_at;

  const std::string whole = Identity("b");
  Replace(scratch, "b.yaml", whole.substr(0, whole.size() - 8));
  const Report broken = loads.Next();
  REQUIRE_FALSE(broken.error.ok());
  CHECK(broken.error.message().find(scratch / "b.yaml:") == 0);
  CHECK(store->current() == good);
  CHECK(store->status().last_error == broken.error);
  CHECK(store->status().loaded_at == loaded_at);

  // Back to what it was: reported, so that the error is seen to be over.
  fs::remove(scratch / "b.yaml");
  const Report again = loads.Next();
  REQUIRE(again.error.ok());
  CHECK(again.set == good);
  CHECK(again.set->generation == 1);
  CHECK(store->status().last_error.ok());
}

TEST_CASE("a file being written is not read before it is closed") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  const std::string text = Identity("a") + Identity("b");
  std::ofstream half(scratch / "a.yaml");
  half << text.substr(0, text.size() / 2) << std::flush;
  half << text.substr(text.size() / 2);
  half.close();
  const Report report = loads.Next();
  REQUIRE(report.error.ok());
  CHECK(report.set->identities.size() == 2);
}

TEST_CASE("a stopped store follows nothing, and still tells what was there") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  Replace(scratch, "b.yaml", Identity("b"));
  store->Stop();
  const auto last = store->current();  // whether it was read in time or not
  scratch.Write("a.yaml", "kind: [");
  store->Stop();
  CHECK(store->current() == last);
  CHECK(store->status().last_error.ok());
}

TEST_CASE("Stop returns when what is being told has been told") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  std::promise<void> telling, go_on;
  std::atomic<bool> told = false;
  const auto store =
      ResourceStore::Create({scratch.path()}, "td", [&](const auto &) {
        telling.set_value();
        go_on.get_future().wait();
        told = true;
      });
  REQUIRE(store.ok());
  Replace(scratch, "a.yaml", Identity("b"));
  telling.get_future().wait();
  std::thread release([&go_on] { go_on.set_value(); });
  (*store)->Stop();
  CHECK(told);
  release.join();
}

TEST_CASE("a truncated file is an error, not the end of an identity") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  scratch.Write("a.yaml", "");
  CHECK_FALSE(loads.Next().error.ok());
  CHECK(store->current()->identities.size() == 1);
}

TEST_CASE("a ConfigMap is swapped") {
  const ScratchDirectory scratch;
  scratch.Write("..v1/a.yaml", Identity("a"));
  fs::create_symlink("..v1", scratch.path() / "..data");
  fs::create_symlink("..data/a.yaml", scratch.path() / "a.yaml");
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  CHECK(store->current()->identities.size() == 1);

  scratch.Write("..v2/a.yaml", Identity("b") + Identity("c"));
  fs::create_symlink("..v2", scratch.path() / "..data_tmp");
  fs::rename(scratch / "..data_tmp", scratch / "..data");
  fs::remove_all(scratch.path() / "..v1");
  CHECK(loads.NextWith(2)->identities[0]->name == "b");
}

TEST_CASE("directories may come, go and be swapped") {
  const ScratchDirectory scratch;
  Loads loads;
  const auto store = Follow(scratch / "etc/kith/resources.d", loads);
  CHECK(store->current()->identities.empty());

  scratch.Write("etc/kith/resources.d/sub/a.yaml", Identity("a"));
  loads.NextWith(1);
  scratch.Write("etc/kith/resources.d/sub/b.yaml", Identity("b"));
  loads.NextWith(2);
  fs::remove_all(scratch.path() / "etc/kith");
  loads.NextWith(0);

  scratch.Write("v2/resources.d/c.yaml", Identity("c"));
  fs::create_directory_symlink(scratch.path() / "v2",
                               scratch.path() / "etc/kith");
  CHECK(loads.NextWith(1)->identities[0]->name == "c");
}

TEST_CASE("the target of a linked file is followed") {
  const ScratchDirectory scratch;
  const std::string target = scratch.Write("elsewhere/real", Identity("a"));
  fs::create_directory(scratch.path() / "d");
  fs::create_symlink(target, scratch.path() / "d/a.yaml");
  Loads loads;
  const auto store = Follow(scratch / "d", loads);
  scratch.Write("elsewhere/real", Identity("a") + Identity("b"));
  loads.NextWith(2);
}

TEST_CASE("a single file is followed through replacement") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", Identity("a"));
  Loads loads;
  const auto store = Follow(scratch / "a.yaml", loads);
  scratch.Write("a.tmp", Identity("a") + Identity("b"));
  fs::rename(scratch / "a.tmp", scratch / "a.yaml");
  loads.NextWith(2);
  fs::remove(scratch / "a.yaml");
  CHECK(absl::IsNotFound(loads.Next().error));
  CHECK(store->current()->identities.size() == 2);
}

TEST_CASE("many changes at once are few loads") {
  const ScratchDirectory scratch;
  Loads loads;
  const auto store = Follow(scratch.path(), loads);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) {
    const std::string name = "i" + std::to_string(i);
    scratch.Write(name + ".yaml", Identity(name));
  }
  const auto set = loads.NextWith(200);
  // One in 100 ms, however long this machine takes.
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  const auto batches = elapsed / std::chrono::milliseconds(100);
  CHECK(set->generation <= 2 + static_cast<uint64_t>(batches));
}

TEST_CASE("a first load that fails is the caller's error") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml", "x: [");
  Loads loads;
  const auto store =
      ResourceStore::Create({scratch.path()}, "td", loads.Callback());
  REQUIRE_FALSE(store.ok());
  CHECK(store.status().message().find(scratch / "a.yaml:1: ") == 0);
}

}  // namespace
}  // namespace kith
