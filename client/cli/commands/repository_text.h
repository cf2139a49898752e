// SPDX-License-Identifier: Apache-2.0
//
// What this machine could do with the models of a repository, as a table.
#pragma once

#include <string>

#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {

// Lines, each with its line break: the names of the columns, and a model's row. What cannot be used
// says why in place of its figures.
std::string RepositoryHeadings();
std::string RepositoryRow(const v1::RepositoryModel& model);
// "9.8 (7.1 to 12.0)": tokens a second, and the bounds that most measurements lie between.
std::string SpeedText(const v1::ExpectedSpeed& speed);
// "recommended: hf.co/a/b:Q4_K_M" and why, or why none is.
std::string RecommendationText(const v1::RepositoryRecommendation& recommendation);

}  // namespace edgemoe::cli
