// SPDX-License-Identifier: Apache-2.0
// The server and the client of documents, against each other.
#include <csignal>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/identity/certificate.h"
#include "agent/identity/private_key.h"
#include "agent/web/discovery_document.h"
#include "agent/web/web_fetch.h"
#include "agent/web/web_server.h"
#include "test/fakes/forged_certificate.h"
#include "test/fakes/svid_forge.h"
#include "test/fakes/temporary_directory.h"

namespace kith {
namespace {

struct Web {
  Clock::TimePoint now = std::chrono::system_clock::now();
  SvidForge forge = SvidForge::InMemory("b.example", now).value();
  SpiffeId id = SpiffeId::Parse("spiffe://b.example/server").value();
  TemporaryDirectory directory;

  Web() { (void)std::signal(SIGPIPE, SIG_IGN); }

  static WebServer::Options Serving(const std::string &text) {
    WebServer::Options options;
    options.listen = Endpoint::Parse("127.0.0.1:0").value();
    options.documents["/doc"] = [text] {
      return absl::StatusOr<std::string>(text);
    };
    options.documents["/broken"] = []() -> absl::StatusOr<std::string> {
      return absl::UnavailableError("not there");
    };
    return options;
  }
  WebServer::Options WithSvid(const std::string &text) {
    WebServer::Options options = Serving(text);
    ForgedSvid made = forge.Make(ForgeryKind::kValid, id, now).value();
    std::shared_ptr<const X509Svid> svid =
        X509Svid::Create(id, std::move(made.key), made.chain).value();
    options.tls = [svid] { return ServeWithSvid(*svid); };
    return options;
  }
  static WebRequest Request(const WebServer &server,
                            const char *scheme = "https",
                            const char *target = "/doc") {
    WebRequest request;
    request.url =
        ParseUrl(
            absl::StrCat(scheme, "://", server.endpoint().ToString(), target))
            .value();
    return request;
  }
  SpiffeServer Known(const SvidForge &by) const {
    return {id, TrustBundle::Create({by.authorities()}).value()};
  }
};

TEST_CASE_METHOD(Web, "a server is known by its SVID") {
  const auto server = WebServer::Create(WithSvid("{\"a\":1}")).value();
  WebRequest request = Request(*server);
  request.server = Known(forge);
  CHECK(FetchWeb(request).value() == "{\"a\":1}");
  request.server->id = SpiffeId::Parse("spiffe://b.example/other").value();
  CHECK(absl::StrContains(FetchWeb(request).status().message(),
                          "the server is spiffe://b.example/server, not"));
  request.server = Known(SvidForge::InMemory("b.example", now).value());
  CHECK(absl::IsUnavailable(FetchWeb(request).status()));
  request.server.reset();  // the Web PKI has no such authority
  request.ca_file = directory.File("none.pem");
  CHECK_FALSE(FetchWeb(request).ok());
}

TEST_CASE_METHOD(Web, "what is not there, and what is too much") {
  const auto server =
      WebServer::Create(WithSvid(std::string(5000, 'x'))).value();
  WebRequest request = Request(*server);
  request.server = Known(forge);
  request.max_bytes = 4999;
  CHECK(absl::StrContains(FetchWeb(request).status().message(), "4999 bytes"));
  request.max_bytes = 5000;
  CHECK(FetchWeb(request).value().size() == 5000);
  request.url.target = "/else";
  CHECK(absl::StrContains(FetchWeb(request).status().message(), "status 404"));
  request.url.target = "/broken";
  CHECK(absl::StrContains(FetchWeb(request).status().message(), "status 503"));
}

TEST_CASE_METHOD(Web, "a server is known by its name and an authority") {
  CertificateFields fields = LeafFields("spiffe://b.example/server", now);
  fields.dns_names = {"localhost"};
  const auto key = GeneratePrivateKey().value();
  const auto leaf =
      ForgeCertificate(fields,
                       key.get(),
                       {forge.ca().certificate.get(), forge.ca().key.get()})
          .value();
  const auto write = [this](const char *name, std::string_view text) {
    std::ofstream(directory.File(name)) << text;
    return directory.File(name);
  };
  const Secret pem = EncodePrivateKey(key.get()).value();
  const std::string certificate =
      write("leaf.crt", EncodeCertificatePem(leaf.get()).value());
  const std::string key_file =
      write("leaf.key",
            std::string(reinterpret_cast<const char *>(pem.bytes().data()),
                        pem.bytes().size()));
  const std::string ca = write(
      "ca.crt", EncodeCertificatePem(forge.ca().certificate.get()).value());
  WebServer::Options options = Serving("{}");
  options.tls = [&] { return ServeWithFiles(certificate, key_file); };
  const auto server = WebServer::Create(std::move(options)).value();
  WebRequest request = Request(*server);
  request.ca_file = ca;
  request.url.host = "localhost";
  CHECK(FetchWeb(request).value() == "{}");
  request.url.host = "127.0.0.1";  // not in the certificate
  CHECK(absl::StrContains(FetchWeb(request).status().message(), "mismatch"));
  CHECK_FALSE(ServeWithFiles(certificate, ca).ok());
  CHECK_FALSE(ServeWithFiles(key_file, key_file).ok());
}

TEST_CASE_METHOD(Web, "plaintext on this machine, and nobody there") {
  auto server = WebServer::Create(Serving("{}")).value();
  WebRequest request = Request(*server, "http");
  CHECK(FetchWeb(request).value() == "{}");
  server.reset();
  CHECK(absl::IsUnavailable(FetchWeb(request).status()));
  request.url.host = "does-not-exist.invalid";
  CHECK(absl::StrContains(FetchWeb(request).status().message(),
                          "cannot reach does-not-exist.invalid"));
}

TEST_CASE("the discovery document has what readers need") {
  const auto document =
      nlohmann::json::parse(DiscoveryDocument("https://oidc.example.org"));
  CHECK(document["issuer"] == "https://oidc.example.org");
  CHECK(document["jwks_uri"] == "https://oidc.example.org/keys");
  CHECK(document["id_token_signing_alg_values_supported"][0] == "ES256");
}

}  // namespace
}  // namespace kith
