#include "page/picture.h"

#include <openssl/evp.h>

#include "base/concat.h"
#include "page/html.h"

namespace suanli::page {
namespace {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // the library ends it with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

}  // namespace

std::string picture(std::string_view png, std::string_view caption) {
  return concat("<figure><img alt=\"", escaped(caption), "\" src=\"data:image/png;base64,", base64(png),
                "\"/><figcaption>", escaped(caption), "</figcaption></figure>\n");
}

}  // namespace suanli::page
