#include "serve/predicting_model.h"

#include <algorithm>

#include "base/base64.h"
#include "base/concat.h"
#include "base/error.h"
#include "data/rows.h"
#include "models/family.h"
#include "models/load.h"
#include "models/super_resolution/config.h"
#include "serve/observed.h"

namespace suanli::serve {

namespace {

using models::Head;

Head head_in(const Json& json, const std::string& where) {
  return models::is_tabular(json, where) || models::is_forecaster(json, where) ? Head::none
                                                                               : models::head_of(json, where);
}

/// What `make` makes; what is wrong with the input is the request's fault.
template <class Make>
PreparedInput prepared(Make make) {
  try {
    return make();
  } catch (const UserError& error) {
    throw RequestError(Fault::invalid, error.what());
  }
}

}  // namespace

bool is_predicting(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "modules.json")) return false;
  const std::string where = folder.string() + "/config.json";
  const Json json = models::model_json(folder);
  return models::is_tabular(json, where) || models::is_forecaster(json, where) ||
         models::reads_pictures(models::head_of(json, where));
}

void cut_forecasts(Predicted& predicted, int64_t horizon) {
  for (infer::Prediction& answer : predicted.answers) {
    if (horizon > 0) answer.numbers.resize(std::min(answer.numbers.size(), static_cast<size_t>(horizon)));
  }
}

std::unique_ptr<PredictingModel::Model> PredictingModel::load(const std::filesystem::path& folder,
                                                              const ModelOptions& options) {
  const std::string place = folder.string(), where = place + "/config.json";
  const Json json = models::model_json(folder);
  if (models::is_tabular(json, where)) {
    return std::make_unique<Model>(std::in_place_type<infer::RowModel>, place, options.device, options.precision);
  }
  if (models::is_forecaster(json, where)) {
    return std::make_unique<Model>(std::in_place_type<infer::SeriesModel>, place, options.device, options.precision);
  }
  return std::make_unique<Model>(std::in_place_type<infer::PictureModel>, place, head_in(json, where), options.device,
                                 options.precision);
}

namespace {

const char* kind_of_pictures(Head head) {
  switch (head) {
    case Head::image_classification:
      return "image_classification";
    case Head::object_detection:
      return "object_detection";
    case Head::semantic_segmentation:
      return "image_segmentation";
    case Head::keypoint_detection:
      return "keypoint_detection";
    default:
      return "image_super_resolution";
  }
}

}  // namespace

PredictingModel::PredictingModel(std::string name, int64_t version, const std::filesystem::path& folder,
                                 const ModelOptions& options, const Limits& limits, monitor::ServiceMetrics& metrics)
    : LoadedModel(std::move(name), version, folder),
      limits_(limits),
      metrics_(metrics),
      model_(load(folder, options)),
      kind_name_(pictures() != nullptr           ? kind_of_pictures(pictures()->head())
                 : series() != nullptr           ? "forecasting"
                 : rows()->config().regression() ? "tabular_regression"
                                                 : "tabular_classification"),
      scheduler_(
          [this](std::span<const infer::Prepared> items) {
            return std::visit([&](const auto& model) { return model.predict(items); }, *model_);
          },
          {.items_per_batch = limits.items_per_request, .queued = limits.queued, .on_batch = [this](int64_t items) {
             metrics_.batch(this->name(), items, 0);
             counter_.batch(items, 0);
           }}) {}

const Tokenizer& PredictingModel::tokenizer() const {
  throw RequestError(Fault::invalid, "this model reads no texts: it has no tokenizer");
}

const std::vector<std::string>& PredictingModel::labels() const {
  static const std::vector<std::string> none;
  if (rows() != nullptr) return rows()->config().regression() ? none : rows()->config().labels;
  return pictures() != nullptr && pictures()->head() == Head::image_classification ? pictures()->config().labels : none;
}

PreparedInput PredictingModel::prepare(const Json& value) const {
  if (rows() != nullptr) {
    if (!value.is_object()) throw RequestError(Fault::invalid, "expected a row as an object of its columns");
    std::vector<std::string> cells;
    for (const std::string& column : rows()->encoder().column_names()) {
      if (!value.contains(column)) throw RequestError(Fault::invalid, "expected the column \"" + column + "\"");
      cells.push_back(json_cell(value[column]));
    }
    return prepare_row(std::move(cells));
  }
  if (series() != nullptr) {
    if (!value.is_array()) throw RequestError(Fault::invalid, "expected a series as a list of numbers");
    std::vector<double> values;
    for (const Json& each : value) {
      if (!each.is_number()) throw RequestError(Fault::invalid, "expected a series as a list of numbers");
      values.push_back(each.get<double>());
    }
    return prepare_series(values);
  }
  const auto bytes = value.is_string() ? from_base64(value.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) throw RequestError(Fault::invalid, "expected a picture as base64 of a JPEG or PNG");
  return prepare_picture(*bytes);
}

PreparedInput PredictingModel::prepare_row(std::vector<std::string> cells) const {
  SUANLI_ASSERT(rows() != nullptr);
  std::vector<size_t> columns(cells.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = i;
  Row row;
  row.cells = std::move(cells);
  return prepared([&] {
    PreparedInput out{rows()->prepare(row, columns, "row")};
    if (watch().has_baseline()) out.features = row_features(rows()->encoder(), row.cells);
    return out;
  });
}

DecodeOptions PredictingModel::decode_options() const {
  DecodeOptions options = pictures()->decode_options();
  options.max_pixels = std::min(options.max_pixels, limits_.picture_pixels);
  return options;
}

void PredictingModel::check_size(int64_t height, int64_t width) const {
  const auto most = decode_options().max_pixels;
  int64_t factor = 1;
  if (pictures()->head() == Head::image_super_resolution) {
    factor = models::super_resolution_config(pictures()->config().json, "config.json").upscale;
  }
  if (height < 1 || width < 1 || height > most / (factor * factor) / width) {
    throw RequestError(Fault::invalid, concat("expected a picture of 1 to ", most / (factor * factor), " pixels, got ",
                                              width, " x ", height));
  }
}

PreparedInput PredictingModel::watched_picture(Image image) const {
  PreparedInput out;
  if (watch().has_baseline()) out.features = picture_features(image);
  out.item = pictures()->prepare(std::move(image));
  return out;
}

PreparedInput PredictingModel::prepare_picture(std::string_view bytes) const {
  SUANLI_ASSERT(pictures() != nullptr);
  return prepared([&] {
    const auto raw = std::as_bytes(std::span(bytes.data(), bytes.size()));
    const ImageSize size = image_size(raw, decode_options(), "picture");
    check_size(size.height, size.width);
    return watched_picture(decode_image(raw, decode_options(), "picture"));
  });
}

PreparedInput PredictingModel::prepare_picture(Image image) const {
  SUANLI_ASSERT(pictures() != nullptr);
  check_size(image.height, image.width);
  return prepared([&] {
    const auto channels = static_cast<int64_t>(decode_options().channels);
    return watched_picture(with_channels(std::move(image), channels));
  });
}

PreparedInput PredictingModel::prepare_series(std::span<const double> values) const {
  SUANLI_ASSERT(series() != nullptr);
  return prepared([&] { return PreparedInput{series()->prepare(values, "series")}; });
}

void PredictingModel::count(const infer::ItemResult<infer::Prediction>& result, size_t items) {
  const bool done = result.ending == infer::Ending::done;
  counter_.request(done, result.timing, 0);
  if (!done) return;
  SUANLI_ASSERT(result.answers.size() == items);
  metrics_.part(monitor::Part::queue, name(), static_cast<double>(result.timing.queue_ns) * 1e-9);
  metrics_.part(monitor::Part::inference, name(), static_cast<double>(result.timing.compute_ns) * 1e-9);
  for (const infer::Prediction& answer : result.answers) {
    if (!answer.label.empty()) metrics_.prediction(name(), answer.label);
  }
}

void PredictingModel::check_count(int64_t items) const {
  if (items == 0) throw RequestError(Fault::empty, "expected inputs, got none");
  if (items < 0 || static_cast<size_t>(items) > limits_.items_per_request) {
    throw RequestError(Fault::invalid, concat("expected at most ", limits_.items_per_request, " inputs, got ", items));
  }
}

void PredictingModel::ask(Asking asking, std::function<void(Predicted)> on_answer,
                          std::function<void(const RequestError&)> on_error) {
  check_count(asking.whole ? 1 : std::ssize(asking.items));
  decltype(scheduler_)::Job job{.items = {}, .options = asking.work, .on_end = {}};
  std::vector<Features> seen;
  for (PreparedInput& input : asking.items) {
    job.items.push_back(std::move(input.item));
    seen.push_back(std::move(input.features));
  }
  job.on_end = [this, seen = std::move(seen), whole = asking.whole, id = std::move(asking.request_id),
                on_answer = std::move(on_answer),
                on_error = std::move(on_error)](infer::ItemResult<infer::Prediction> result) {
    count(result, seen.size());
    if (result.ending != infer::Ending::done) return on_error(ending_error(result.ending, result.message));
    if (!whole) observe_predictions(*this, id, seen, result.answers);
    on_answer({std::move(result.answers), result.timing});
  };
  scheduler_.submit(std::move(job));
}

}  // namespace suanli::serve
