// Who may ask what: every route needs a key of its scope, but those that say whether the server lives.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "expect_error.h"
#include "serve/http_client.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::filesystem::path write_file(const std::string& text) {
  static int number = 0;
  const auto file = std::filesystem::temp_directory_path() /
                    ("suanli_access_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  std::ofstream(file) << text;
  return file;
}

TEST(Keys, EveryRouteWithoutAKeyIsRefusedButTheOpenOnes) {
  TestServerOptions options;
  options.server.keys_file = write_file(hash_of_key("secret") + " team infer,metrics,admin\n");
  TestServer server(options);
  int open = 0;
  for (const Route& route : server.router.routes()) {
    std::string path = route.pattern;
    for (const auto& [name, value] : {std::pair{"{model}", "tiny"}, {"{version}", "1"}, {"{file}", "style.css"}}) {
      if (const size_t at = path.find(name); at != std::string::npos) path.replace(at, std::string(name).size(), value);
    }
    for (const char* header : {"", "Authorization: Bearer wrong\r\n", "X-API-Key: secre\r\n", "X-API-Key: \r\n",
                               "Authorization: secret\r\n"}) {
      Client client(server.port());
      const Reply reply = client.request(route.method, path, "", header);
      if (route.scope == Scope::open) {
        ++open;
        EXPECT_EQ(reply.status, 200) << path;
      } else {
        EXPECT_EQ(reply.status, 401) << route.method << " " << path << " with " << header;
        EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer");
      }
    }
  }
  EXPECT_EQ(open, 5 * 8) << "health, ping, live, ready, a model's ready by both names, the page and its files";
  for (const char* header :
       {"Authorization: Bearer secret\r\n", "authorization: bearer secret\r\n", "X-API-Key: secret\r\n"}) {
    Client client(server.port());
    EXPECT_EQ(client.request("GET", "/info", "", header).status, 200) << header;
  }
}

TEST(Keys, AScopeIsAllThatAKeyAllows) {
  TestServerOptions options;
  options.server.keys_file = write_file("# callers\n" + hash_of_key("a") + " a infer\n" + hash_of_key("b") +
                                        " b metrics # a dashboard\n\n" + hash_of_key("c") + " c infer 2000-01-01\n");
  TestServer server(options);
  Client client(server.port());
  EXPECT_EQ(client.request("GET", "/info", "", "X-API-Key: a\r\n").status, 200);
  EXPECT_EQ(client.request("GET", "/metrics", "", "X-API-Key: b\r\n").status, 200);
  Client other(server.port());
  EXPECT_EQ(other.request("GET", "/metrics", "", "X-API-Key: a\r\n").status, 403);
  Client third(server.port());
  EXPECT_EQ(third.request("POST", "/v2/repository/models/tiny/unload", "{}", "X-API-Key: a\r\n").status, 403);
  Client old(server.port());
  EXPECT_EQ(old.request("GET", "/info", "", "X-API-Key: c\r\n").status, 401) << "it has expired";
}

TEST(Keys, AQuotaRefillsWithTime) {
  Keys keys = Keys::parse(hash_of_key("k") + " team infer 60", "keys");
  std::string name;
  int64_t retry_after = 0;
  for (int i = 0; i < 60; ++i) ASSERT_EQ(keys.admit("k", Scope::infer, name, retry_after), Admission::allowed) << i;
  EXPECT_EQ(keys.admit("k", Scope::infer, name, retry_after), Admission::over_quota);
  EXPECT_EQ(name, "team");
  EXPECT_GE(retry_after, 1);
  EXPECT_LE(retry_after, 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(keys.admit("k", Scope::infer, name, retry_after), Admission::allowed);
}

TEST(Keys, AWrongFileNamesItsLine) {
  const auto message = [](const std::string& text) { return error_of([&] { Keys::parse(text, "keys"); }); };
  const std::string hash = hash_of_key("k");
  EXPECT_EQ(message(""), "[keys] expected at least one key, got none");
  EXPECT_NE(message("\nabc team infer").find("[keys:2] expected `SHA256 NAME SCOPES`"), std::string::npos);
  EXPECT_NE(message(hash + " team all").find("got \"all\""), std::string::npos);
  EXPECT_NE(message(hash + " team infer tomorrow").find("got \"tomorrow\""), std::string::npos);
  EXPECT_NE(message("g" + hash.substr(1) + " team infer"), "");
  EXPECT_NE(new_key(), new_key());
}

TEST(Admin, ModelsAreReadAgainOnceTheirFilesHaveChanged) {
  TestServerOptions options;
  TestServer server(options);
  Client client(server.port());
  const auto version = [&] {
    return client.request("GET", "/v2/models/tiny").json()["versions"][0].get<std::string>();
  };
  server.models->load_changed();
  EXPECT_EQ(version(), "1") << "nothing has changed";
  std::ofstream(options.model / "README.md") << "new";
  server.models->load_changed();
  EXPECT_EQ(version(), "2");
  server.models->load_changed();
  EXPECT_EQ(version(), "2");
  server.models->unload("tiny");
  server.models->load_changed();
  EXPECT_EQ(version(), "3") << "what is not loaded is";
}

TEST(Admin, ModelsAreLoadedAtTheSocketOfTheOwnerAlone) {
  TestServerOptions options;
  options.server.admin_socket = write_file("").string() + ".socket";
  TestServer server(options);
  struct stat file = {};
  ASSERT_EQ(stat(options.server.admin_socket.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  Client client(server.port());
  EXPECT_EQ(client.request("POST", "/v2/repository/models/tiny/load", "{}").status, 403);

  Client admin(options.server.admin_socket);
  EXPECT_EQ(admin.request("POST", "/v2/repository/models/tiny/load", "{}").status, 200);
  EXPECT_EQ(admin.request("GET", "/v2/models/tiny").json()["versions"][0], "2");
  EXPECT_EQ(admin.request("POST", "/v2/repository/models/none/load", "{}").status, 404);
  EXPECT_EQ(admin.request("POST", "/v2/repository/models/tiny/unload", "{}").status, 200);
  Client later(server.port());
  EXPECT_EQ(later.post("/embed", R"({"inputs":"w1"})").status, 503);
  EXPECT_EQ(later.request("GET", "/v2/models/tiny/ready").status, 503);
  EXPECT_EQ(admin.request("POST", "/v2/repository/models/tiny/load", "{}").status, 200);
  EXPECT_EQ(later.post("/embed", R"({"inputs":"w1"})").status, 200);
  server.stop();
  server.server.reset();
  EXPECT_NE(stat(options.server.admin_socket.c_str(), &file), 0) << "the socket goes with the server";
}

TEST(Address, AStrangersAddressNeedsTlsAndKeys) {
  const Router router;
  monitor::ServiceMetrics metrics;
  ServerOptions options = {.host = "0.0.0.0", .port = 0};
  const auto message = [&] { return error_of([&] { Server(options, router, metrics); }); };
  EXPECT_NE(message().find("expected TLS"), std::string::npos);
  options.keys_file = write_file(hash_of_key("k") + " team infer");
  EXPECT_NE(message().find("expected TLS"), std::string::npos);
  options.host = "nowhere.example";
  EXPECT_NE(message().find("expected an IP address"), std::string::npos);
  options.host = "0.0.0.0";
  options.insecure_public = true;
  EXPECT_GT(Server(options, router, metrics).port(), 0);
}

/// A key and a certificate that signs itself, in one PEM file.
std::filesystem::path certificate_file() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  const auto file = write_file("");
  FILE* out = std::fopen(file.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_X509(out, certificate);
  std::fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return file;
}

/// What a GET /health brings over TLS of that version; "" where the handshake fails.
std::string health_over_tls(uint16_t port, int version, const std::filesystem::path& own_certificate) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, version);
  if (!own_certificate.empty()) {
    SSL_CTX_use_certificate_file(context, own_certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, own_certificate.c_str(), SSL_FILETYPE_PEM);
  }
  BIO* stream = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(stream, ("127.0.0.1:" + std::to_string(port)).c_str());
  std::string answer;
  constexpr std::string_view kRequest = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  if (BIO_do_handshake(stream) == 1 && BIO_write(stream, kRequest.data(), static_cast<int>(kRequest.size())) > 0) {
    char bytes[4096];
    for (int count = 0; (count = BIO_read(stream, bytes, sizeof bytes)) > 0;) {
      answer.append(bytes, static_cast<size_t>(count));
    }
  }
  BIO_free_all(stream);
  SSL_CTX_free(context);
  return answer;
}

TEST(Tls, OurOwnClientBelievesNoCertificateThatItDoesNotKnow) {
  TestServerOptions options;
  options.server.certificate = options.server.private_key = certificate_file();
  TestServer server(options);
  const auto ask = [&](const std::string& host, const std::filesystem::path& authority) {
    const Url url = read_url("https://" + host + ":" + std::to_string(server.port()) + "/health", "url");
    return ask_http(url, {.authority = authority});
  };
  EXPECT_EQ(ask("localhost", options.server.certificate).status, 200)
      << ask("localhost", options.server.certificate).failure;
  EXPECT_NE(ask("localhost", "").failure, "") << "nobody we know has signed it";
  EXPECT_NE(ask("127.0.0.1", options.server.certificate).failure, "") << "it names another host";
}

TEST(Tls, Version13AloneAndClientsShowTheirCertificateWhereAsked) {
  TestServerOptions options;
  options.server.certificate = options.server.private_key = certificate_file();
  const auto other = certificate_file();
  {
    TestServer server(options);
    EXPECT_TRUE(health_over_tls(server.port(), TLS1_3_VERSION, {}).starts_with("HTTP/1.1 200"));
    EXPECT_EQ(health_over_tls(server.port(), TLS1_2_VERSION, {}), "");
    Client plain(server.port());
    EXPECT_EQ(plain.request("GET", "/health").status, 0) << "no answer without TLS";
  }
  options.server.client_authority = options.server.certificate;
  TestServer server(options);
  EXPECT_EQ(health_over_tls(server.port(), TLS1_3_VERSION, {}), "");
  EXPECT_EQ(health_over_tls(server.port(), TLS1_3_VERSION, other), "");
  EXPECT_TRUE(health_over_tls(server.port(), TLS1_3_VERSION, options.server.certificate).starts_with("HTTP/1.1 200"));
}

TEST(Tls, WrongFilesAreNamed) {
  const Router router;
  monitor::ServiceMetrics metrics;
  const auto good = certificate_file(), other = certificate_file(), bad = write_file("nonsense");
  const auto message = [&](const std::filesystem::path& certificate, const std::filesystem::path& key) {
    ServerOptions options = {.port = 0, .certificate = certificate, .private_key = key};
    return error_of([&] { Server(options, router, metrics); });
  };
  EXPECT_NE(message(bad, good).find(bad.string()), std::string::npos);
  EXPECT_NE(message(good, bad).find(bad.string()), std::string::npos);
  EXPECT_NE(message(good, {}).find("expected a private key"), std::string::npos);
  EXPECT_NE(message(good, other).find("key values mismatch"), std::string::npos);
}

}  // namespace
}  // namespace suanli::serve
