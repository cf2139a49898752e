// SPDX-License-Identifier: Apache-2.0
//
// What a pack job tells, for people: nothing wider than 80 columns but paths, and no colour.
#pragma once

#include <string>

#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {

// "3 of 6: probing 42 %, 12 s left; plan: 18.79 MiB, 3.94 bits, KL 0.0097".
std::string PackProgressText(const v1::PackProgress& progress);

// Lines without the last line break. With the damage curve and the chart when types were chosen.
std::string PackReportText(const v1::PackReport& report);

// Bits a weight by layer and role, a line for each layer, and one for each role outside layers.
// More than kChartRowsMax layers are shown in groups of neighbours. Empty for a report without
// rows.
constexpr int kChartRowsMax = 24;
std::string PackChart(const v1::PackReport& report);

}  // namespace edgemoe::cli
