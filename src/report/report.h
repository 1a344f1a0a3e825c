/// The page of a run: what was run, curves of training, scores, and what the model gets wrong.
#pragma once

#include <string>
#include <vector>

#include "report/run_record.h"

namespace suanli {

/// One HTML page that needs no network, no script and no other file; light or dark as the reader has it. It is
/// well-formed XML whatever the names of labels and the texts hold.
std::string to_html(const RunRecord& run);

/// The sections of the page, as HTML.
std::string setting_part(const RunRecord& run);
std::string curves_part(const RunRecord& run);
std::string scores_part(const RunRecord& run);
/// The pictures of a set with what was found in them.
std::string pictures_part(const std::string& set, const std::vector<ReportedPicture>& pictures);
/// Confusions, ROC and precision-recall curves, calibration and worst mistakes of classes, or a scatter of numbers.
std::string answers_part(const std::string& set, const Answers& answers);

/// Truth down, predictions across, each cell coloured by its share of the row; of more than 20 classes the pairs that
/// are confused most often.
std::string confusion_part(const Answers& answers);
/// Answers that are wrong, those with the largest loss first: the 20 worst.
std::string mistakes_part(const Answers& answers);

/// For each class whether it is the truth of a row: [rows][classes].
std::vector<std::vector<bool>> truths_of(const Answers& answers);

}  // namespace suanli
