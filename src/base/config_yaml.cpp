#include <map>

#include "base/concat.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/flat_yaml.h"

namespace suanli {
namespace {

constexpr uint64_t kLargestRunFile = uint64_t{1} << 20;

}  // namespace

void Config::read_yaml(const std::filesystem::path& file) {
  read_yaml_text(read_file(file, kLargestRunFile), file.string());
}

void Config::read_yaml_text(std::string_view text, std::string_view where) {
  std::map<int, std::string> seen;
  for (YamlEntry& entry : parse_flat_yaml(text, where)) {
    const int option = require(entry.key, entry.where);
    const Option& declared = table_->options()[static_cast<size_t>(option)];
    if (const auto [before, fresh] = seen.emplace(option, entry.where); !fresh) {
      throw UserError(entry.where, concat(declared.name, " is given twice, first at ", before->second, "; keep one"));
    }
    if (entry.kind == YamlEntry::Kind::null) {
      values_[static_cast<size_t>(option)] = Value{};
      values_[static_cast<size_t>(option)].where = entry.where;
    } else if (entry.kind == YamlEntry::Kind::scalar) {
      store(option, entry.text, entry.value_where);
    } else if (declared.type == OptionType::list) {
      store_list(option, std::move(entry.list), entry.value_where);
    } else {
      throw UserError(entry.value_where,
                      concat(declared.name, " must be ", option_type_name(declared.type), ", found a list"));
    }
  }
}

}  // namespace suanli
