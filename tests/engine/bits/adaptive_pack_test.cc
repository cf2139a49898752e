// SPDX-License-Identifier: Apache-2.0
//
// Whole jobs on a small model of floats: what they write and say, and that neither cancelling nor
// killing them changes a byte of it.
#include "engine/bits/adaptive_pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "engine/gguf/pack_keys.h"
#include "engine/study/kl_meter.h"
#include "tests/support/child_process.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
using Phase = PackProgress::Phase;
namespace fs = std::filesystem;

constexpr std::uint32_t kContext = 64;
constexpr std::size_t kWindows = 4;
constexpr std::size_t kTextBytes = kContext * kWindows + 40;  // some tokens have two bytes

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Text(std::size_t tokens) {
  std::string text;
  for (std::size_t i = 0; text.size() < tokens; ++i)
    text += std::to_string(i * i * 7919) + (i % 3 == 0 ? " and\n" : " of ");
  return text.substr(0, tokens);
}

TinyModelOptions Model() {
  TinyModelOptions model;
  model.expert_count = 6;
  model.context_length = kContext;
  model.dense_type = model.gate_type = model.up_type = model.down_type = TensorType::kF32;
  model.tied_output = false;
  return model;
}

// One for all tests: a pack names its source's time of change.
std::string SourcePath() {
  static const TempFolder folder;
  static const std::string path = [] {
    EXPECT_TRUE(WriteTinyModel(folder / "tiny.gguf", Model()).ok());
    return folder / "tiny.gguf";
  }();
  return path;
}

class AdaptivePackTest : public testing::Test {
 protected:
  AdaptivePackTest() { std::ofstream(text_) << Text(kTextBytes); }

  PackOptions Options(PackTarget target, PackMethod method = PackMethod::kSensitivity) const {
    PackOptions options;
    options.source_path = source_;
    options.output_path = output_;
    options.method = method;
    options.target = target;
    options.calibration_path = text_;
    return options;
  }
  // What a job writes under another name.
  std::string Uninterrupted(PackOptions options) const {
    options.output_path = folder_ / "whole.gguf";
    options.progress = {};
    options.cancelled = nullptr;
    const auto report = RunAdaptivePack(options);
    EXPECT_TRUE(report) << report.error().ToString();
    return ReadFile(options.output_path);
  }
  Status Error(const PackOptions& options) const {
    const auto report = RunAdaptivePack(options);
    EXPECT_FALSE(report);
    EXPECT_FALSE(fs::exists(output_));
    return report ? OkStatus() : report.error();
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.insert(entry.path().filename().string());
    return names;
  }
  // Measured anew, on the whole text.
  Quality Measured() const {
    const auto open = [&](const std::string& path) {
      return *OfflineModel::Open({.path = path, .context_tokens = kContext});
    };
    const auto source = open(source_);
    const TextWindows windows = *CutWindows(source->tokenizer(), ReadFile(text_), kContext, 0);
    EXPECT_LE(windows.count(), 8U) << "else the sample is a part of it";
    KlMeter meter(windows);
    EXPECT_TRUE(meter.RecordReference(*source).ok());
    return *meter.Measure(*open(output_));
  }

  TempFolder folder_;
  const std::string source_ = SourcePath();
  const std::string output_ = folder_ / "pack.gguf";
  const std::string text_ = folder_ / "text.txt";
};

struct MethodAndTarget {
  const char* name;
  PackMethod method;
  PackTarget target;
};
void PrintTo(const MethodAndTarget& test, std::ostream* out) { *out << test.name; }

class EachMethod : public AdaptivePackTest, public testing::WithParamInterface<MethodAndTarget> {};

TEST_P(EachMethod, MeetsItsTargetAndSaysWhatItIs) {
  const PackTarget& target = GetParam().target;
  const auto report = RunAdaptivePack(Options(target, GetParam().method));
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(Files(), (std::set<std::string>{"pack.gguf", "text.txt"}));
  EXPECT_EQ(report->file_bytes, fs::file_size(output_));
  EXPECT_LT(report->bits, report->source_bits);
  if (target.bits) {
    EXPECT_LE(report->bits, *target.bits);
  }
  if (target.file_bytes) {
    EXPECT_LE(report->file_bytes, *target.file_bytes);
  }
  const Quality quality = Measured();
  ASSERT_TRUE(report->quality);
  EXPECT_EQ(report->quality->mean_kl, quality.mean_kl);
  EXPECT_EQ(report->quality->perplexity, quality.perplexity);
  EXPECT_EQ(report->quality->source_perplexity, quality.reference_perplexity);
  EXPECT_EQ(report->quality->same_top_fraction, quality.same_top_fraction);
  EXPECT_EQ(report->quality->tokens, quality.tokens);
  if (target.kl_max) {
    EXPECT_LE(quality.mean_kl, *target.kl_max);
  }
  if (target.perplexity_increase_max) {
    EXPECT_LE(quality.perplexity / quality.reference_perplexity - 1,
              *target.perplexity_increase_max);
  }
  EXPECT_EQ(report->calibration_tokens, kContext * kWindows);
  std::uint64_t row_bytes = 0;
  for (const TypeSummary& row : report->rows) row_bytes += row.bytes;
  EXPECT_LE(row_bytes, report->weight_bytes);

  const std::string bytes = ReadFile(output_);
  const auto view = std::as_bytes(std::span<const char>(bytes));
  const auto file = ParseGguf(view, bytes.size());
  ASSERT_TRUE(file);
  EXPECT_TRUE(CheckPackHeader(view, *file).ok());
  EXPECT_EQ(*file->GetString(kPackMethodKey), PackMethodName(GetParam().method));
  EXPECT_TRUE(LoadedModel::Load(view, {}));

  if (target.bits) {
    PackOptions threads = Options(target, GetParam().method);
    threads.threads = 3;
    EXPECT_TRUE(Uninterrupted(threads) == bytes) << "threads change nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, EachMethod,
    testing::Values(MethodAndTarget{"bits", PackMethod::kSensitivity, {.bits = 5.3}},
                    MethodAndTarget{"size", PackMethod::kSensitivity, {.file_bytes = 160'000}},
                    MethodAndTarget{"kl", PackMethod::kSensitivity, {.kl_max = 0.002}},
                    MethodAndTarget{
                        "perplexity", PackMethod::kSensitivity, {.perplexity_increase_max = 0.01}},
                    MethodAndTarget{"uniform", PackMethod::kUniform, {.bits = 7}},
                    MethodAndTarget{"uniform_kl", PackMethod::kUniform, {.kl_max = 0.002}},
                    MethodAndTarget{"edgemoe", PackMethod::kEdgemoe, {.bits = 7}},
                    MethodAndTarget{"edgemoe_kl", PackMethod::kEdgemoe, {.kl_max = 0.002}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(AdaptivePackTest, ByRoleTheExpertsOfALayerShareTypes) {
  PackOptions options = Options({.bits = 5.3});
  options.plan_only = true;
  const auto differs = [](const PackReport& report) {
    return std::ranges::any_of(report.rows, [](const TypeSummary& row) {
      return row.types.size() > 1;  // only an expert's matrices are several
    });
  };
  EXPECT_TRUE(differs(*RunAdaptivePack(options))) << "else nothing is tested";
  options.granularity = PackGranularity::kRole;
  const PackReport report = *RunAdaptivePack(options);
  EXPECT_FALSE(differs(report));
  EXPECT_LE(report.bits, 5.3);
}

TEST_F(AdaptivePackTest, APlanWritesNothingAndIsNotMeasuredAgain) {
  PackOptions options = Options({.bits = 5.3});
  options.plan_only = true;
  const auto plan = RunAdaptivePack(options);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_TRUE(plan->plan_only);
  EXPECT_FALSE(plan->quality);
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_GE(plan->curve.size(), 2U);
  const std::string probes = ReadFile(output_ + ".partial.probes");
  const auto calibrated = fs::last_write_time(output_ + ".partial.calibration");
  options.plan_only = false;
  bool looked = false;
  options.progress = [&](const PackProgress& progress) {
    if (progress.phase == Phase::kCalibrating) {
      EXPECT_EQ(progress.done, progress.total);
    }
    if (progress.phase != Phase::kCopying) return;
    looked = true;
    EXPECT_TRUE(ReadFile(output_ + ".partial.probes") == probes) << "measured again";
    EXPECT_EQ(fs::last_write_time(output_ + ".partial.calibration"), calibrated);
    EXPECT_EQ(progress.planned_file_bytes, plan->file_bytes);
    EXPECT_EQ(progress.planned_kl, plan->expected_kl);
  };
  const auto report = RunAdaptivePack(options);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(looked);
  EXPECT_EQ(report->file_bytes, plan->file_bytes);
  EXPECT_EQ(report->bits, plan->bits);
  EXPECT_EQ(ReadFile(output_), Uninterrupted(options));
}

TEST_F(AdaptivePackTest, PhasesComeInOrderAndCountUp) {
  PackOptions options = Options({.kl_max = 0.002});
  PackProgress last{.phase = Phase::kCalibrating};
  std::set<Phase> seen;
  options.progress = [&](const PackProgress& now) {
    EXPECT_LE(now.done, now.total);
    EXPECT_GE(now.phase, last.phase);
    // Each try counts anew.
    if (now.phase == last.phase && now.phase != Phase::kTrying) {
      EXPECT_GE(now.done, last.done);
    }
    if (now.phase != last.phase) {
      EXPECT_EQ(last.done, last.total) << static_cast<int>(last.phase);
    }
    last = now;
    seen.insert(now.phase);
  };
  ASSERT_TRUE(RunAdaptivePack(options));
  EXPECT_EQ(seen.size(), 7U);
}

struct Stop {
  Phase phase;
  int times;  // that the phase was told of
  MethodAndTarget job{"bits", PackMethod::kSensitivity, {.bits = 5.3}};
};
void PrintTo(const Stop& stop, std::ostream* out) {
  *out << stop.job.name << ", phase " << static_cast<int>(stop.phase) << ", " << stop.times
       << " times";
}

class AdaptiveResume : public AdaptivePackTest, public testing::WithParamInterface<Stop> {
 protected:
  // Calls `act` at the moment, and ever after.
  std::function<void(const PackProgress&)> When(const std::function<void()>& act) const {
    return [act, told = 0](const PackProgress& progress) mutable {
      if (progress.phase == GetParam().phase && ++told >= GetParam().times) act();
    };
  }
  PackOptions Job() const { return Options(GetParam().job.target, GetParam().job.method); }
  void ExpectResumed() const {
    EXPECT_FALSE(fs::exists(output_));
    const auto second = RunAdaptivePack(Job());
    ASSERT_TRUE(second) << second.error().ToString();
    EXPECT_EQ(Files(), (std::set<std::string>{"pack.gguf", "text.txt"}));
    static std::map<std::string, std::string> whole;
    const auto [place, is_new] = whole.try_emplace(GetParam().job.name);
    if (is_new) place->second = Uninterrupted(Job());
    EXPECT_TRUE(ReadFile(output_) == place->second) << "other bytes than without a stop";
  }
};

TEST_P(AdaptiveResume, ACancelledJobGoesOn) {
  std::atomic<bool> cancelled = false;
  PackOptions job = Job();
  job.cancelled = &cancelled;
  job.progress = When([&] { cancelled = true; });
  EXPECT_EQ(Error(job).code(), StatusCode::kCancelled);
  ExpectResumed();
}

TEST_P(AdaptiveResume, AKilledJobGoesOn) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    PackOptions job = Job();
    job.progress = When([] { ::raise(SIGKILL); });
    (void)RunAdaptivePack(job);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ExpectResumed();
}

const MethodAndTarget kKl = {"kl", PackMethod::kSensitivity, {.kl_max = 0.002}};
const MethodAndTarget kEdgemoe = {"edgemoe", PackMethod::kEdgemoe, {.bits = 7}};
const MethodAndTarget kUniformKl = {"uniform_kl", PackMethod::kUniform, {.kl_max = 0.002}};
INSTANTIATE_TEST_SUITE_P(At, AdaptiveResume,
                         testing::Values(Stop{Phase::kCalibrating, 3}, Stop{Phase::kMeasuring, 30},
                                         Stop{Phase::kProbing, 4}, Stop{Phase::kTrying, 30, kKl},
                                         Stop{Phase::kCopying, 30}, Stop{Phase::kVerifying, 1},
                                         Stop{Phase::kProbing, 3, kEdgemoe},
                                         Stop{Phase::kTrying, 60, kUniformKl}));

TEST_F(AdaptivePackTest, WhatAnotherTargetLeftBehindGoes) {
  std::atomic<bool> cancelled = false;
  PackOptions job = Options({.kl_max = 0.002});
  job.cancelled = &cancelled;
  job.progress = [&](const PackProgress& now) { cancelled = now.phase == Phase::kTrying; };
  EXPECT_EQ(Error(job).code(), StatusCode::kCancelled);
  ASSERT_TRUE(fs::exists(output_ + ".partial.trial.partial"));
  ASSERT_TRUE(RunAdaptivePack(Options({.bits = 5.3})));
  EXPECT_EQ(Files(), (std::set<std::string>{"pack.gguf", "text.txt"}));
}

TEST_F(AdaptivePackTest, ABadOutputIsRefusedBeforeAnythingIsRun) {
  PackOptions options = Options({.bits = 5.3});
  options.progress = [](const PackProgress&) { ADD_FAILURE() << "ran"; };
  std::ofstream(output_) << "precious";
  const std::set<std::string> before = Files();
  const auto refused = RunAdaptivePack(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.error().message(), HasSubstr(output_));
  options.overwrite = true;
  for (const std::string& path : {source_, folder_.path()}) {
    options.output_path = path;
    const auto other = RunAdaptivePack(options);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(other.error().message(), HasSubstr(path));
  }
  EXPECT_EQ(Files(), before);
  EXPECT_EQ(ReadFile(output_), "precious");
}

TEST_F(AdaptivePackTest, OneJobForAnOutput) {
  PackOptions options = Options({.bits = 5.3});
  std::set<Phase> tried;
  options.progress = [&](const PackProgress& now) {
    if (!tried.insert(now.phase).second || now.phase == Phase::kFinishing) return;
    const auto second = RunAdaptivePack(Options({.bits = 4.6}));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.error().message(), HasSubstr(output_));
  };
  ASSERT_TRUE(RunAdaptivePack(options));
  EXPECT_GE(tried.size(), 5U);
  EXPECT_EQ(ReadFile(output_), Uninterrupted(Options({.bits = 5.3})));
}

TEST_F(AdaptivePackTest, BadCalibrationTextIsNamed) {
  const auto complaint = [&](const std::string& text) {
    std::ofstream(text_, std::ios::binary) << text;
    const Status status = Error(Options({.bits = 5.3}));
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(text_));
    return status.message();
  };
  complaint("");
  complaint(" \n\t \n");
  complaint(std::string("a\0b", 3));
  complaint("caf\xe9 latin");
  EXPECT_THAT(complaint(Text(kContext / 2)), HasSubstr("calibration_path"));
  EXPECT_EQ(Files(), (std::set<std::string>{"text.txt"}));
  fs::remove(text_);
  const Status missing = Error(Options({.bits = 5.3}));
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr(text_));
}

TEST_F(AdaptivePackTest, ATargetThatNoneMeetsNamesTheNearest) {
  for (const PackMethod method :
       {PackMethod::kSensitivity, PackMethod::kUniform, PackMethod::kEdgemoe}) {
    const Status size = Error(Options({.file_bytes = 20'000}, method));
    EXPECT_EQ(size.code(), StatusCode::kOutOfRange) << size.ToString();
    EXPECT_THAT(size.message(), HasSubstr("size_bytes: found 20000"));
    EXPECT_THAT(size.message(), HasSubstr(" bytes)"));
    const Status bits = Error(Options({.bits = 1}, method));
    EXPECT_EQ(bits.code(), StatusCode::kOutOfRange) << bits.ToString();
    EXPECT_THAT(bits.message(), HasSubstr("bits: found 1, the least that any choice has is "));
  }
  const Status kl = Error(Options({.kl_max = 1e-9}, PackMethod::kUniform));
  EXPECT_EQ(kl.code(), StatusCode::kOutOfRange) << kl.ToString();
  EXPECT_THAT(kl.message(), HasSubstr("times as much"));
}

TEST_F(AdaptivePackTest, ATargetThatNoMeasurementReachesIsRefusedBeforeAnyAndLeavesNothing) {
  const std::set<std::string> before = Files();
  for (const PackMethod method :
       {PackMethod::kSensitivity, PackMethod::kUniform, PackMethod::kEdgemoe}) {
    for (const PackTarget& target : {PackTarget{.bits = 0.1}, PackTarget{.file_bytes = 5000}}) {
      PackOptions options = Options(target, method);
      options.plan_only = true;
      options.progress = [](const PackProgress&) { ADD_FAILURE() << "something was measured"; };
      const Status status = Error(options);
      EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
      EXPECT_EQ(status.field(), target.bits ? "bits" : "size_bytes");
      EXPECT_THAT(status.message(), HasSubstr("the least that any choice"));
      EXPECT_EQ(Files(), before);
    }
  }
}

TEST_F(AdaptivePackTest, TheLeastMemoryIsNamedAndWorks) {
  PackOptions options = Options({.bits = 5.3});
  const PackMemory memory = *PlanPackMemory(options);
  EXPECT_LT(memory.least_bytes, memory.useful_bytes);
  options.memory_bytes = memory.least_bytes - 1;
  const Status status = Error(options);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("memory_bytes"));
  options.memory_bytes = memory.least_bytes;
  const auto report = RunAdaptivePack(options);
  EXPECT_TRUE(report) << report.error().ToString();
}

// A limit on the size of files, in a process of its own.
TEST_F(AdaptivePackTest, ADiskThatIsFullOfCheckpointsIsNamed) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {5000, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
    const auto report = RunAdaptivePack(Options({.bits = 5.3}));
    if (report) ::_exit(2);
    ::_exit(report.error().message().find(output_ + ".partial") != std::string::npos ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(RunAdaptivePack(Options({.bits = 5.3})));
  EXPECT_EQ(ReadFile(output_), Uninterrupted(Options({.bits = 5.3})));
}

}  // namespace
}  // namespace edgemoe
