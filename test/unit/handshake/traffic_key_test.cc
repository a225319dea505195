// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/traffic_key.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <openssl/ssl.h>

namespace kith {
namespace {

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::string bytes;
  REQUIRE(absl::HexStringToBytes(hex, &bytes));
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<TrafficKey> MakeKey(uint16_t suite,
                                    std::vector<uint8_t> secret,
                                    uint64_t sequence = 0) {
  return TrafficKey::Create(SSL_get_cipher_by_value(suite), secret, sequence)
      .value();
}

constexpr uint16_t kAes128 = 0x1301;
constexpr uint16_t kAes256 = 0x1302;
constexpr uint16_t kChaCha20 = 0x1303;
constexpr uint8_t kData = 23;

// A record with room for its header and tail.
std::vector<uint8_t> Unsealed(size_t length) {
  std::vector<uint8_t> record(length + kRecordOverhead);
  std::iota(record.begin() + kRecordHeaderLength,
            record.end() - kRecordTailLength,
            uint8_t{0});
  return record;
}

TEST_CASE("seals the client's data record of RFC 8448 section 3") {
  auto key = MakeKey(kAes128,
                     FromHex("9e40646ce79a7f9dc05af8889bce6552"
                             "875afa0b06df0087f792ebb7c17504a5"));
  std::vector<uint8_t> record = Unsealed(50);
  CHECK(key->Seal(record.data(), 50, kData) == record.size());
  CHECK(record ==
        FromHex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab"
                "3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3d"
                "eae63aeebb21694915e4"));
  CHECK(key->sequence() == 1);
}

TEST_CASE("what one key seals, the other end opens") {
  uint16_t suite = GENERATE(kAes128, kAes256, kChaCha20);
  size_t length = GENERATE(size_t{0}, size_t{1}, kMaxPlaintextLength);
  std::vector<uint8_t> secret(suite == kAes256 ? 48 : 32, 7);
  auto writer = MakeKey(suite, secret, 300);
  auto reader = MakeKey(suite, secret, 300);
  for (int generation = 0; generation < 3; ++generation) {
    for (int i = 0; i < 3; ++i) {
      std::vector<uint8_t> record = Unsealed(length);
      std::vector<uint8_t> plain = record;
      writer->Seal(record.data(), length, kData);
      std::span<uint8_t> opened = reader->Open(record);
      REQUIRE(opened.size() == length + 1);
      CHECK(opened.back() == kData);
      CHECK(std::equal(opened.begin(),
                       opened.end() - 1,
                       plain.begin() + kRecordHeaderLength));
    }
    REQUIRE(writer->Update().ok());
    REQUIRE(reader->Update().ok());
    CHECK(writer->sequence() == 0);
  }
}

TEST_CASE("a changed, repeated or foreign record does not open") {
  std::vector<uint8_t> secret(32, 7);
  auto writer = MakeKey(kAes128, secret);
  auto reader = MakeKey(kAes128, secret);
  std::vector<uint8_t> record = Unsealed(20);
  writer->Seal(record.data(), 20, kData);
  SECTION("changed, wherever it is") {
    size_t at = GENERATE(size_t{1}, size_t{5}, size_t{24}, size_t{41});
    record[at] ^= 1;
    CHECK(reader->Open(record).empty());
  }
  SECTION("repeated") {
    std::vector<uint8_t> again = record;
    CHECK(!reader->Open(record).empty());
    CHECK(reader->Open(again).empty());
  }
  SECTION("of the next generation") {
    REQUIRE(reader->Update().ok());
    CHECK(reader->Open(record).empty());
  }
  SECTION("too short for a tag") {
    CHECK(reader->Open(std::span(record).first(kRecordHeaderLength + 16))
              .empty());
  }
}

}  // namespace
}  // namespace kith
