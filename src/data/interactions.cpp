#include "data/interactions.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <tuple>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/cell.h"
#include "data/random_sites.h"
#include "data/row_writer.h"

namespace suanli {
namespace {

/// "userId", "user_id" and "USER" are names of one column.
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

/// The column that has one of `names`, the first of them that is there.
std::optional<size_t> column_of(const RowReader& reader, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    for (size_t i = 0; i < reader.columns().size(); ++i) {
      if (plain_name(reader.columns()[i]) == name) return i;
    }
  }
  return std::nullopt;
}

size_t needed_column(const RowReader& reader, std::initializer_list<const char*> names) {
  if (const auto found = column_of(reader, names)) return *found;
  std::string there;
  for (const std::string& name : reader.columns()) there += concat(there.empty() ? "" : ", ", name);
  throw UserError(reader.source().name(), concat("expected a column ", *names.begin(), ", found ", there));
}

std::string cell(const Row& row, size_t column) { return column < row.cells.size() ? row.cells[column] : ""; }

double number_in(const RowReader& reader, const Row& row, size_t column) {
  const std::string text = cell(row, column);
  if (const auto number = parse_number(text)) return *number;
  if (const auto date = parse_date(text)) return static_cast<double>(*date);
  throw UserError(
      reader.source().place(row.line),
      concat("column ", reader.columns()[column], " must be a finite number", ", found \"", shortened(text, 60), '"'));
}

struct Event {
  double time;
  uint32_t order;  // among those of one time
  Interaction interaction;
};

/// In the order of time, the last one of each item alone.
std::vector<Interaction> in_order(std::vector<Event> events) {
  std::ranges::sort(events, [](const Event& a, const Event& b) {
    return std::tie(a.time, a.order, a.interaction.item) < std::tie(b.time, b.order, b.interaction.item);
  });
  std::vector<Interaction> out;
  std::map<int32_t, size_t> last;
  for (size_t i = 0; i < events.size(); ++i) last[events[i].interaction.item] = i;
  for (size_t i = 0; i < events.size(); ++i) {
    if (last[events[i].interaction.item] == i) out.push_back(events[i].interaction);
  }
  return out;
}

}  // namespace

ItemTable::ItemTable(std::vector<Item> items, const std::string& where) : items_(std::move(items)) {
  if (items_.empty()) throw UserError(where, "expected at least one item, found none");
  for (size_t i = 0; i < items_.size(); ++i) {
    const std::string& id = items_[i].id;
    if (id.empty()) throw UserError(where, concat("expected an id of item ", i + 1, ", found none"));
    if (!by_id_.emplace(id, static_cast<int32_t>(i)).second) {
      throw UserError(where, concat("expected each item once, found the id \"", shortened(id, 60), "\" twice"));
    }
  }
}

int32_t ItemTable::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? -1 : found->second;
}

ItemTable read_items(const std::filesystem::path& file, const RowOptions& options) {
  const auto reader = open_rows(file, options);
  const size_t id = needed_column(*reader, {"id", "itemid", "item", "movieid"});
  const size_t title = needed_column(*reader, {"title", "name"});
  const auto genres = column_of(*reader, {"genres", "categories", "genre", "category"});
  std::vector<Item> items;
  Row row;
  while (reader->next(&row)) {
    if (!row.error.empty()) continue;
    items.push_back({cell(row, id), cell(row, title), genres ? cell(row, *genres) : ""});
  }
  return {std::move(items), file.string()};
}

void write_items(const ItemTable& items, const std::filesystem::path& file) {
  std::string text = "id,title,genres\n";
  for (int32_t i = 0; i < items.size(); ++i) {
    append_csv(&text, items[i].id, false);
    append_csv(&(text += ','), items[i].title, false);
    append_csv(&(text += ','), items[i].genres, false);
    text += '\n';
  }
  write_file_atomically(file, text);
}

std::string text_of(const Item& item) {
  std::string genres;
  for (const char c : item.genres) genres += c == '|' ? std::string(", ") : std::string(1, c);
  return genres.empty() ? item.title : concat(item.title, ". ", genres);
}

Interactions read_interactions(const std::filesystem::path& file, const ItemTable& items, double least_rating,
                               const RowOptions& options) {
  const auto reader = open_rows(file, options);
  const size_t user = needed_column(*reader, {"user", "userid"});
  const size_t item = needed_column(*reader, {"item", "itemid", "movieid"});
  const size_t time = needed_column(*reader, {"timestamp", "time"});
  const auto rating = column_of(*reader, {"rating"});
  Interactions out;
  std::vector<std::vector<Event>> events;
  Row row;
  while (reader->next(&row)) {
    if (!row.error.empty()) continue;
    const double when = number_in(*reader, row, time);
    const bool liked = !rating || number_in(*reader, row, *rating) >= least_rating;
    const std::string name = cell(row, user);
    if (name.empty()) throw UserError(reader->source().place(row.line), "expected the id of a user, found none");
    const int32_t which = items.find(cell(row, item));
    if (which < 0) {
      ++out.unknown;
      continue;
    }
    const auto [known, is_new] = out.user.try_emplace(name, static_cast<int32_t>(out.users.size()));
    if (is_new) {
      out.users.push_back(name);
      events.emplace_back();
    }
    const uint64_t index = static_cast<uint64_t>(known->second) << 32 | static_cast<uint32_t>(which);
    events[static_cast<size_t>(known->second)].push_back(
        {when, philox({0, 0, kInteractionSite}, index)[0], {which, liked}});
  }
  if (events.empty()) throw UserError(file.string(), "expected interactions with items of the table, found none");
  for (std::vector<Event>& each : events) out.of_user.push_back(in_order(std::move(each)));
  return out;
}

}  // namespace suanli
