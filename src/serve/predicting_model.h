/// A model that answers rows of tables, pictures or series.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "infer/item_scheduler.h"
#include "infer/picture_model.h"
#include "infer/row_model.h"
#include "infer/series_model.h"
#include "monitor/service_metrics.h"
#include "serve/fault.h"
#include "serve/limits.h"
#include "serve/loaded_model.h"

namespace suanli::serve {

/// True for a folder of a model of tables, pictures or series.
bool is_predicting(const std::filesystem::path& folder);

/// One input: what the network gets, and what the watch sees.
struct PreparedInput {
  infer::Prepared item;
  Features features = {};
};

struct Asking {
  std::vector<PreparedInput> items;
  infer::WorkOptions work = {};
  bool whole = false;           ///< the items are variants of one input: as many as they are, and not watched
  std::string request_id = {};  ///< by which a label may come later
};

struct Predicted {
  std::vector<infer::Prediction> answers;
  infer::Timing timing;
};

/// Leaves the first `horizon` values of forecasts; 0: nothing to cut.
void cut_forecasts(Predicted& predicted, int64_t horizon);

class PredictingModel final : public LoadedModel {
 public:
  /// Throws UserError.
  PredictingModel(std::string name, int64_t version, const std::filesystem::path& folder, const ModelOptions& options,
                  const Limits& limits, monitor::ServiceMetrics& metrics);

  /// "tabular_classification", "tabular_regression", "forecasting", or the name of the head of pictures.
  const char* kind_name() const override { return kind_name_; }
  /// Throws RequestError: there is none.
  const Tokenizer& tokenizer() const override;
  int64_t max_length() const override { return 0; }
  int64_t tokens() const override { return 0; }
  size_t queued() const override { return scheduler_.queued(); }
  void drain() override { scheduler_.drain(); }
  ModelCounts counts() const override { return counter_.read(); }

  /// Null where the model is of another kind.
  const infer::RowModel* rows() const { return std::get_if<infer::RowModel>(model_.get()); }
  const infer::PictureModel* pictures() const { return std::get_if<infer::PictureModel>(model_.get()); }
  const infer::SeriesModel* series() const { return std::get_if<infer::SeriesModel>(model_.get()); }
  /// Values of a forecast; 0 of other models.
  int64_t horizon() const { return series() == nullptr ? 0 : series()->config().prediction_length; }
  /// Names of the classes; empty where there are none.
  const std::vector<std::string>& labels() const override;

  /// As JSON says it: a row as an object with every column of the model (null: missing), a picture as base64 of a JPEG
  /// or PNG, a series as a list of numbers. Throws RequestError. Thread safe, as are the others.
  PreparedInput prepare(const Json& value) const;
  /// Cells in the order of rows()->encoder().column_names().
  PreparedInput prepare_row(std::vector<std::string> cells) const;
  /// The bytes of a JPEG or PNG.
  PreparedInput prepare_picture(std::string_view bytes) const;
  PreparedInput prepare_picture(Image image) const;
  PreparedInput prepare_series(std::span<const double> values) const;

  /// Throws RequestError for no items, and for more than a request may have: to be asked before they are prepared.
  void check_count(int64_t items) const;

  /// Answers on the model's thread, or at once where it refuses: exactly one of the two is called, once. Throws
  /// RequestError as check_count() does.
  void ask(Asking asking, std::function<void(Predicted)> on_answer, std::function<void(const RequestError&)> on_error);

 private:
  using Model = std::variant<infer::RowModel, infer::PictureModel, infer::SeriesModel>;
  static std::unique_ptr<Model> load(const std::filesystem::path& folder, const ModelOptions& options);
  DecodeOptions decode_options() const;
  PreparedInput watched_picture(Image image) const;
  void check_size(int64_t height, int64_t width) const;
  void count(const infer::ItemResult<infer::Prediction>& result, size_t items);

  const Limits& limits_;
  monitor::ServiceMetrics& metrics_;
  std::unique_ptr<Model> model_;
  const char* kind_name_;
  ModelCounter counter_;
  infer::ItemScheduler<infer::Prepared, infer::Prediction> scheduler_;
};

using PredictorPointer = std::shared_ptr<PredictingModel>;

}  // namespace suanli::serve
