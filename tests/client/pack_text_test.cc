// SPDX-License-Identifier: Apache-2.0
#include "client/cli/commands/pack_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace edgemoe::cli {
namespace {

using testing::ElementsAre;

TEST(PackProgressTest, SaysWhatIsKnown) {
  v1::PackProgress progress;
  progress.set_phase(v1::PACK_PHASE_CALIBRATING);
  progress.set_done(21);
  progress.set_total(50);
  EXPECT_EQ(PackProgressText(progress), "calibrating 42 %");
  progress.set_phase(v1::PACK_PHASE_PROBING);
  progress.set_phase_seconds_left(12.3);
  progress.set_planned_bytes(18 << 20);
  progress.set_planned_bits(3.937);
  progress.set_planned_kl(0.00967);
  EXPECT_EQ(PackProgressText(progress),
            "probing 42 %, 12 s left; plan: 18.00 MiB, 3.94 bits, KL 0.0097");
  progress.Clear();
  progress.set_phase(v1::PACK_PHASE_COPYING);
  progress.set_done(3 << 20);
  progress.set_total(4 << 20);
  progress.set_resumed(2 << 20);
  progress.set_phase_seconds_left(600);
  EXPECT_EQ(PackProgressText(progress), "writing 75 % of 4.00 MiB, 10 min left, went on at 50 %");
  progress.Clear();
  progress.set_phase(v1::PACK_PHASE_FINISHING);
  EXPECT_EQ(PackProgressText(progress), "waiting for the disk, 100 %");
}

void AddRow(v1::PackReport& report, std::uint32_t layer, const char* role, std::uint64_t weights,
            std::uint64_t bytes) {
  v1::PackRow& row = *report.add_rows();
  row.set_layer(layer);
  row.set_role(role);
  row.set_weights(weights);
  row.set_bytes(bytes);
}

std::vector<std::string> Chart(const v1::PackReport& report) {
  std::vector<std::string> lines;
  std::istringstream text(PackChart(report));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::size_t Columns(const std::string& line) {
  std::size_t columns = 0;
  for (const char byte : line) columns += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  return columns;
}

TEST(PackChartTest, ALineForEachLayerAndRoleOutside) {
  v1::PackReport report;
  AddRow(report, 0, "gate", 800, 300);
  AddRow(report, 0, "up", 800, 450);
  AddRow(report, 0, "down", 800, 1600);
  AddRow(report, 0, "query", 100, 100);
  AddRow(report, 0, "value", 100, 50);
  AddRow(report, 0, "other", 800, 3200);
  AddRow(report, 1, "down", 800, 206);
  AddRow(report, 0, "output", 800, 656);
  report.mutable_rows(report.rows_size() - 1)->clear_layer();
  EXPECT_THAT(
      Chart(report),
      ElementsAre("  bits a weight",  //
                  "  layer        gate            up              down            attention",
                  "  0           3.0 ███         4.5 ████▌      16.0 █████████   6.0 ██████",
                  "  1                                           2.1 ██",
                  "  output      6.6 ██████▌"));
}

TEST(PackChartTest, ManyLayersAreGroupedAndEightyColumnsAreEnough) {
  v1::PackReport report;
  for (std::uint32_t layer = 0; layer < 60; ++layer)
    for (const char* role : {"gate", "up", "down", "key"})
      AddRow(report, layer, role, 800, layer % 3 == 0 ? 900 : 300);
  const std::vector<std::string> lines = Chart(report);
  ASSERT_EQ(lines.size(), 22u);
  EXPECT_EQ(lines[2].substr(0, 17), "  0-2         5.0");
  EXPECT_EQ(lines[21].substr(0, 17), "  57-59       5.0");
  for (const std::string& line : lines) EXPECT_LE(Columns(line), 80u);
  for (std::uint32_t layers : {24u, 25u, 1000u}) {
    report.Clear();
    for (std::uint32_t layer = 0; layer < layers; ++layer) AddRow(report, layer, "up", 8, 4);
    EXPECT_LE(Chart(report).size(), 26u) << layers;
  }
  EXPECT_TRUE(PackChart(v1::PackReport()).empty());
}

}  // namespace
}  // namespace edgemoe::cli
