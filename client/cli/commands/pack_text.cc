// SPDX-License-Identifier: Apache-2.0
#include "client/cli/commands/pack_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string_view>

#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

const char* PhaseText(v1::PackPhase phase) {
  switch (phase) {
    case v1::PACK_PHASE_CALIBRATING: return "calibrating";
    case v1::PACK_PHASE_MEASURING: return "measuring";
    case v1::PACK_PHASE_PROBING: return "probing";
    case v1::PACK_PHASE_TRYING: return "trying";
    case v1::PACK_PHASE_COPYING: return "writing";
    case v1::PACK_PHASE_VERIFYING: return "verifying";
    case v1::PACK_PHASE_FINISHING: return "waiting for the disk,";
    default: return "working";
  }
}

const char* MethodText(v1::PackMethod method) {
  switch (method) {
    case v1::PACK_METHOD_SENSITIVITY: return "sensitivity";
    case v1::PACK_METHOD_UNIFORM: return "uniform";
    case v1::PACK_METHOD_EDGEMOE: return "edgemoe";
    default: return "copy";
  }
}

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

// ---- The report ----

std::string CopyText(const v1::PackReport& report) {
  std::string text = report.output_path() + ": " + SizeText(report.file_bytes()) + ", " +
                     std::to_string(report.layer_count()) + " layers of " +
                     std::to_string(report.expert_count()) + " experts";
  if (report.resumed_bytes() > 0)
    text += ", of which " + SizeText(report.resumed_bytes()) + " were there from an earlier run";
  return text + "\nsource digest " + report.source_digest();
}

std::string QualityText(const v1::PackReport& report) {
  std::string text;
  if (report.has_quality()) {
    const v1::PackQuality& quality = report.quality();
    text += Format("\n  KL           %.4f", quality.mean_kl());
    if (report.has_expected_kl()) text += Format(", expected %.4f", report.expected_kl());
    text += Format("; 99 %% of tokens below %.4f", quality.kl_p99());
    const double before = quality.source_perplexity();
    text += Format("\n  perplexity   %.4f -> %.4f (%+.2f %%)", before, quality.perplexity(),
                   before > 0 ? 100 * (quality.perplexity() / before - 1) : 0.0);
    text += Format("\n  same top     %.2f %% of %llu tokens", 100 * quality.same_top_fraction(),
                   static_cast<unsigned long long>(quality.tokens()));
  } else if (report.has_expected_kl()) {
    text += Format("\n  expected KL  %.4f", report.expected_kl());
  }
  return text;
}

std::string TypesText(const v1::PackReport& report) {
  std::map<std::string, std::uint64_t> counts;
  for (const v1::PackRow& row : report.rows())
    if (row.role() != "other")
      for (const v1::PackTypeCount& type : row.types()) counts[type.type()] += type.tensors();
  std::string text;
  std::size_t line_bytes = 0;
  for (const auto& [type, count] : counts) {
    const std::string item = type + " " + std::to_string(count);
    const bool begins = text.empty();
    if (!begins && line_bytes + item.size() > 60) {
      text += ",\n               ";
      line_bytes = 0;
    } else if (!begins) {
      text += ", ";
    }
    text += item;
    line_bytes += item.size() + 2;
  }
  return text.empty() ? "" : "\n  matrices     " + text;
}

std::string CurveText(const v1::PackReport& report) {
  if (report.curve().empty()) return "";
  std::string text = "\n\n  at other sizes       bits   expected KL";
  for (const v1::PackPoint& point : report.curve())
    text += Format("\n    %12s    %7.2f   %11.4f", SizeText(point.file_bytes()).c_str(),
                   point.bits(), point.kl());
  return text;
}

std::string ChosenText(const v1::PackReport& report) {
  std::string text = report.output_path();
  if (report.plan_only()) text += ", a plan: nothing was written";
  text += "\n  size         " + SizeText(report.source_bytes()) + " -> " +
          SizeText(report.file_bytes()) +
          Format(" (%.1f %%)", 100 * Share(report.file_bytes(), report.source_bytes()));
  if (report.resumed_bytes() > 0)
    text += ", " + SizeText(report.resumed_bytes()) + " from an earlier run";
  text += Format("\n  bits/weight  %.2f -> %.2f", report.source_bits(), report.bits());
  text += QualityText(report);
  text += Format("\n  method       %s; %u layers of %u experts", MethodText(report.method()),
                 report.layer_count(), report.expert_count());
  text += Format("\n  measured on  %llu tokens, with %llu probes",
                 static_cast<unsigned long long>(report.calibration_tokens()),
                 static_cast<unsigned long long>(report.probe_count()));
  if (report.experts_never_used() > 0)
    text += Format("\n  never used   %u expert%s: counted as the mean of their layer's",
                   report.experts_never_used(), report.experts_never_used() == 1 ? "" : "s");
  text += TypesText(report) + CurveText(report);
  if (const std::string chart = PackChart(report); !chart.empty()) text += "\n\n" + chart;
  if (!report.report_path().empty()) text += "\n\n  report       " + report.report_path();
  if (!report.report_error().empty())
    text += "\n\n  the report could not be written: " + report.report_error();
  return text;
}

// ---- The chart ----

struct Cell {
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
  void Add(const v1::PackRow& row) {
    weights += row.weights();
    bytes += row.bytes();
  }
};

constexpr int kBarMax = 9;  // characters, one for each bit

// "3.9 ███▉", as wide as "16.0" and the longest bar.
std::string CellText(const Cell& cell) {
  if (cell.weights == 0) return std::string(5 + kBarMax, ' ');
  constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double bits = 8 * static_cast<double>(cell.bytes) / static_cast<double>(cell.weights);
  const auto eighths = static_cast<int>(std::lround(std::min<double>(bits, kBarMax) * 8));
  std::string text = Format("%4.1f ", bits);
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[static_cast<std::size_t>(eighths % 8)];
  return text + std::string(static_cast<std::size_t>(kBarMax - (eighths + 7) / 8), ' ');
}

constexpr std::array<std::string_view, 4> kColumns = {"gate", "up", "down", "attention"};

// The column of a role in a layer; none for norms and routers.
std::size_t ColumnOf(std::string_view role) {
  if (role == "query" || role == "key" || role == "value" || role == "attention_output")
    role = kColumns[3];
  return static_cast<std::size_t>(std::ranges::find(kColumns, role) - kColumns.begin());
}

std::string TrimmedLine(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

using Layers = std::map<std::uint32_t, std::array<Cell, kColumns.size()>>;

std::string LayerLines(const Layers& layers, std::uint32_t group) {
  std::string text = Format("  %-13s", "layer");
  for (const std::string_view column : kColumns) text += Format("%-16s", column.data());
  text = TrimmedLine(text);
  for (const auto& [first, cells] : layers) {
    const std::uint32_t last = first + group - 1;
    const std::string label =
        group == 1 ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
    std::string line = Format("  %-11s", label.c_str());
    for (const Cell& cell : cells) line += CellText(cell) + "  ";
    text += TrimmedLine(line);
  }
  return text;
}

}  // namespace

std::string PackProgressText(const v1::PackProgress& progress) {
  const double share = Share(progress.done(), progress.total());
  std::string text;
  if (progress.phase_count() > 0)
    text = Format("%u of %u: ", progress.phase_number(), progress.phase_count());
  text += PhaseText(progress.phase()) + Format(" %.0f %%", 100 * share);
  if (progress.phase() == v1::PACK_PHASE_COPYING) text += " of " + SizeText(progress.total());
  if (progress.has_phase_seconds_left())
    text += ", " + DurationText(progress.phase_seconds_left()) + " left";
  if (progress.resumed() > 0)
    text += Format(", went on at %.0f %%", 100 * Share(progress.resumed(), progress.total()));
  if (progress.has_planned_bytes() && progress.has_planned_bits())
    text += "; plan: " + SizeText(progress.planned_bytes()) +
            Format(", %.2f bits", progress.planned_bits());
  if (progress.has_planned_kl()) text += Format(", KL %.4f", progress.planned_kl());
  return text;
}

std::string PackReportText(const v1::PackReport& report) {
  return report.method() == v1::PACK_METHOD_COPY ? CopyText(report) : ChosenText(report);
}

std::string PackChart(const v1::PackReport& report) {
  std::uint32_t layer_count = 0;
  for (const v1::PackRow& row : report.rows())
    if (row.has_layer()) layer_count = std::max(layer_count, row.layer() + 1);
  const std::uint32_t group = std::max(1u, (layer_count + kChartRowsMax - 1) / kChartRowsMax);
  Layers layers;
  std::map<std::string, Cell> outside;
  for (const v1::PackRow& row : report.rows()) {
    const std::size_t column = ColumnOf(row.role());
    if (!row.has_layer()) {
      if (row.role() != "other") outside[row.role()].Add(row);
    } else if (column < kColumns.size()) {
      layers[row.layer() / group * group][column].Add(row);
    }
  }
  std::string text;
  if (!layers.empty()) text += LayerLines(layers, group);
  for (const auto& [role, cell] : outside)
    text += TrimmedLine(Format("  %-11s", role.c_str()) + CellText(cell));
  if (text.empty()) return text;
  text.pop_back();
  return "  bits a weight\n" + text;
}

}  // namespace edgemoe::cli
