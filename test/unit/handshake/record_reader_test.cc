// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/record_reader.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <openssl/ssl.h>

#include "agent/handshake/record_writer.h"

namespace kith {
namespace {

using Kind = OpenedRecord::Kind;
using PeerRole = RecordReader::PeerRole;
using Bytes = std::vector<uint8_t>;

std::unique_ptr<TrafficKey> MakeKey() {
  Bytes secret(32, 9);
  return TrafficKey::Create(SSL_get_cipher_by_value(0x1301), secret, 0).value();
}

// Peer seals whatever it is told to.
struct Peer {
  std::unique_ptr<TrafficKey> key = MakeKey();

  Bytes Seal(Bytes content, uint8_t type) const {
    Bytes record(content.size() + kRecordOverhead);
    std::copy(
        content.begin(), content.end(), record.begin() + kRecordHeaderLength);
    key->Seal(record.data(), content.size(), type);
    return record;
  }
  // Whole messages: type, length, body.
  Bytes SealHandshake(Bytes messages) const { return Seal(messages, 22); }
  Bytes SealData(const std::string &text) const {
    return Seal({text.begin(), text.end()}, 23);
  }
};

const Bytes kKeyUpdate = {24, 0, 0, 1, 0};
const Bytes kKeyUpdateRequest = {24, 0, 0, 1, 1};

TEST_CASE("application data is opened record by record") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  Bytes in = peer.SealData("one");
  Bytes second = peer.SealData("two");
  size_t first_length = in.size();
  in.insert(in.end(), second.begin(), second.end());

  for (size_t part = 0; part < first_length; ++part) {
    CHECK(reader.Open(std::span(in).first(part)).kind == Kind::kIncomplete);
  }
  OpenedRecord one = reader.Open(in);
  CHECK(one.kind == Kind::kData);
  CHECK(one.consumed == first_length);
  CHECK(std::string(one.data.begin(), one.data.end()) == "one");
  OpenedRecord two = reader.Open(std::span(in).subspan(first_length));
  CHECK(std::string(two.data.begin(), two.data.end()) == "two");
}

TEST_CASE("padding is dropped") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  // The content type that the writer appends is 0 here: more padding.
  Bytes in = peer.Seal({'h', 'i', 23, 0, 0, 0}, 0);
  OpenedRecord opened = reader.Open(in);
  CHECK(opened.kind == Kind::kData);
  CHECK(std::string(opened.data.begin(), opened.data.end()) == "hi");
}

TEST_CASE("a key update changes the key and may ask for ours") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  bool asked = GENERATE(false, true);
  Bytes update = peer.SealHandshake(asked ? kKeyUpdateRequest : kKeyUpdate);
  REQUIRE(peer.key->Update().ok());
  CHECK(reader.Open(update).kind == Kind::kControl);
  CHECK(reader.TakeKeyUpdateRequest() == asked);
  CHECK(!reader.TakeKeyUpdateRequest());
  Bytes data = peer.SealData("next generation");
  CHECK(reader.Open(data).kind == Kind::kData);
}

TEST_CASE("a server's tickets are skipped, also in fragments") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kServer);
  Bytes tickets = {4, 0, 0, 3, 1, 2, 3, 4, 0, 0, 2, 7, 7};
  for (size_t cut = 1; cut < tickets.size(); ++cut) {
    Bytes head(tickets.begin(), tickets.begin() + static_cast<long>(cut));
    Bytes tail(tickets.begin() + static_cast<long>(cut), tickets.end());
    for (const Bytes &part : {head, tail}) {
      Bytes record = peer.SealHandshake(part);
      CHECK(reader.Open(record).kind == Kind::kControl);
    }
    Bytes data = peer.SealData("x");
    CHECK(reader.Open(data).kind == Kind::kData);
  }
}

TEST_CASE("alerts are told apart") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kServer);
  CHECK(reader.may_still_refuse());
  Bytes cancelled = peer.Seal({1, 90}, 21);
  CHECK(reader.Open(cancelled).kind == Kind::kControl);
  Bytes close = peer.Seal({1, 0}, 21);
  CHECK(reader.Open(close).kind == Kind::kCloseNotify);
  Bytes fatal = peer.Seal({2, 49}, 21);
  OpenedRecord opened = reader.Open(fatal);
  CHECK(opened.kind == Kind::kAlert);
  CHECK(opened.alert == SSL_AD_ACCESS_DENIED);
  Bytes data = peer.SealData("x");
  CHECK(reader.Open(data).kind == Kind::kData);
  CHECK(!reader.may_still_refuse());
}

struct Bad {
  const char *what;
  Bytes content;
  uint8_t type;
  int alert;
};

TEST_CASE("a peer that breaks the protocol gets the right alert") {
  Bad bad = GENERATE(
      Bad{"change cipher spec inside", {1}, 20, SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"no content type", {0, 0}, 0, SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"empty handshake", {}, 22, SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"certificate request",
          {13, 0, 0, 1, 0},
          22,
          SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"ticket of a client", {4, 0, 0, 1, 0}, 22, SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"key update, then more",
          {24, 0, 0, 1, 0, 24},
          22,
          SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"long key update",
          {24, 0, 0, 2, 0, 0},
          22,
          SSL_AD_UNEXPECTED_MESSAGE},
      Bad{"odd key update", {24, 0, 0, 1, 2}, 22, SSL_AD_ILLEGAL_PARAMETER},
      Bad{"short alert", {2}, 21, SSL_AD_DECODE_ERROR},
      Bad{"long record",
          Bytes(kMaxPlaintextLength + 1),
          23,
          SSL_AD_RECORD_OVERFLOW});
  CAPTURE(bad.what);
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  Bytes record = peer.Seal(bad.content, bad.type);
  OpenedRecord opened = reader.Open(record);
  CHECK(opened.kind == Kind::kBroken);
  CHECK(opened.alert == bad.alert);
  CHECK(!opened.why.empty());
}

TEST_CASE("records that are not ours are refused by their header or tag") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  Bytes record = peer.SealData("x");
  SECTION("not protected") {
    record[0] = 21;
    CHECK(reader.Open(record).alert == SSL_AD_UNEXPECTED_MESSAGE);
  }
  SECTION("longer than any record") {
    record[3] = 0x41;
    record[4] = 0x01;
    CHECK(reader.Open(record).alert == SSL_AD_RECORD_OVERFLOW);
  }
  SECTION("changed") {
    record.back() ^= 1;
    CHECK(reader.Open(record).alert == SSL_AD_BAD_RECORD_MAC);
  }
}

TEST_CASE("a message is not interrupted by other records") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kServer);
  Bytes begun = peer.SealHandshake({4, 0, 0, 3, 1});
  CHECK(reader.Open(begun).kind == Kind::kControl);
  Bytes data = peer.SealData("x");
  CHECK(reader.Open(data).alert == SSL_AD_UNEXPECTED_MESSAGE);
}

TEST_CASE("a peer cannot keep us busy with records without data") {
  Peer peer;
  RecordReader reader(MakeKey(), PeerRole::kClient);
  for (uint32_t i = 0; i < RecordReader::kMaxControlRecords; ++i) {
    Bytes empty = peer.SealData("");
    REQUIRE(reader.Open(empty).kind == Kind::kControl);
  }
  Bytes one_more = peer.SealData("");
  CHECK(reader.Open(one_more).kind == Kind::kBroken);
}

TEST_CASE("the writer's records are those that a reader expects") {
  RecordWriter writer(MakeKey(), /*records_per_key=*/2);
  RecordReader reader(MakeKey(), PeerRole::kClient);
  Bytes record(64);
  for (int i = 0; i < 2; ++i) {
    CHECK(!writer.key_update_due());
    record[kRecordHeaderLength] = 'x';
    size_t length = writer.SealData(record.data(), 1);
    CHECK(reader.Open(std::span(record).first(length)).kind == Kind::kData);
  }
  CHECK(writer.key_update_due());  // the key is worn
  REQUIRE(writer.SealKeyUpdate(record.data()).ok());
  CHECK(reader.Open(std::span(record).first(RecordWriter::kKeyUpdateRecord))
            .kind == Kind::kControl);
  CHECK(!writer.key_update_due());
  writer.RequestKeyUpdate();
  CHECK(writer.key_update_due());
  size_t length = writer.SealAlert(record.data(), SSL_AD_BAD_RECORD_MAC);
  CHECK(length <= RecordWriter::kMaxControlRecord);
  CHECK(reader.Open(std::span(record).first(length)).alert ==
        SSL_AD_BAD_RECORD_MAC);
  length = writer.SealCloseNotify(record.data());
  CHECK(reader.Open(std::span(record).first(length)).kind ==
        Kind::kCloseNotify);
}

}  // namespace
}  // namespace kith
