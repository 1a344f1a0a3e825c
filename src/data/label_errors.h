/// Labels that a model, which never saw them, holds for wrong.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/inspection.h"
#include "data/rows.h"

namespace suanli {

/// For each row of `file` whether its label is suspected (confident learning, Northcutt, Jiang and Chuang 2021): t_c is
/// the mean probability of class c over the rows labelled c; a row labelled c is suspected where the class j of the
/// largest p_j among those with p_j >= t_j is another one.
///
/// `predictions`: JSON lines, one object {class: probability, ...} a row of `file`, out of fold (each row predicted by
/// a model that was trained without it: otherwise the model repeats the label). Bad rows of `file` need a line too.
/// Reads both files twice; one bit a row. Throws UserError for another number of lines, a class that is no label, or a
/// probability outside [0, 1].
std::vector<bool> suspected_labels(const std::filesystem::path& file, const RowOptions& format,
                                   const std::string& label_column, const std::filesystem::path& predictions,
                                   const ReadProgress& progress);

}  // namespace suanli
