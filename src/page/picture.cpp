#include "page/picture.h"

#include "base/base64.h"
#include "base/concat.h"
#include "page/html.h"

namespace suanli::page {

std::string picture(std::string_view png, std::string_view caption) {
  return concat("<figure><img alt=\"", escaped(caption), "\" src=\"data:image/png;base64,", to_base64(png),
                "\"/><figcaption>", escaped(caption), "</figcaption></figure>\n");
}

}  // namespace suanli::page
