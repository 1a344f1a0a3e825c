#include "serve/tls.h"

#include <functional>

#include "base/error.h"

namespace suanli::serve {

namespace ssl = boost::asio::ssl;

namespace {

void read_file(const std::filesystem::path& file, const char* what, const std::function<void()>& read) {
  if (file.empty()) throw UserError("serve", std::string("expected ") + what + " for TLS, got none");
  try {
    read();
  } catch (const boost::system::system_error& error) {
    throw UserError(file.string(), std::string("expected ") + what + " as PEM: " + error.code().message());
  }
}

}  // namespace

std::shared_ptr<ssl::context> tls_context(const std::filesystem::path& certificate,
                                          const std::filesystem::path& private_key,
                                          const std::filesystem::path& client_authority) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  read_file(certificate, "a certificate (--ssl_certfile)",
            [&] { context->use_certificate_chain_file(certificate.string()); });
  read_file(private_key, "a private key (--ssl_keyfile)",
            [&] { context->use_private_key_file(private_key.string(), ssl::context::pem); });
  if (!client_authority.empty()) {
    read_file(client_authority, "certificates of an authority (--ssl_ca_certs)",
              [&] { context->load_verify_file(client_authority.string()); });
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  return context;
}

void require_http2(ssl::context& context) {
  const auto select = [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                         unsigned int offered_size, void*) {
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(&chosen, size, kHttp2, sizeof kHttp2, offered, offered_size);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  };
  SSL_CTX_set_alpn_select_cb(context.native_handle(), select, nullptr);
}

}  // namespace suanli::serve
