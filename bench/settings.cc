// SPDX-License-Identifier: Apache-2.0
#include "bench/settings.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/option_table.h"

namespace edgemoe::bench {
namespace {

constexpr int kUsage = 64;

CLI::Option* AddList(CLI::App* app, const std::string& name, std::vector<std::string>* values,
                     const std::string& help, const std::string& type) {
  return app->add_option(name, *values, help)->delimiter(',')->type_name(type + ",...");
}

// The names that an option of the engine takes, as help lists them.
std::string NamesOf(std::string_view option) {
  std::string text;
  for (const std::string_view name : std::get<NameOption>(EngineOptionNamed(option).kind).names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

void AddRun(CLI::App* app, RunSettings* run) {
  AddList(app, "-m,--model", &run->models,
          "GGUF files or expert packs of one model; shares and \"paper\" are of the first one's "
          "experts, for all files alike",
          "FILE")
      ->required();
  app->add_option("--budget", run->budget, "Memory for everything, as in 1200MiB")
      ->type_name("SIZE");
  AddList(app, "--expert-budget", &run->expert_budgets,
          "Memory for experts: a size, or a share of all as in 25%", "SIZE|PERCENT%");
  AddList(app, "--mode", &run->modes, NamesOf("mode"), "MODE");
  AddList(app, "--policy", &run->policies, "Eviction policies", "POLICY");
  AddList(app, "--predictor", &run->predictors, NamesOf("predictor"), "PREDICTOR");
  AddList(app, "--storage", &run->storages, NamesOf("storage_profile"), "STORAGE");
  app->add_option("--storage-scale", run->storage_scale,
                  "Multiplies the bandwidth of a modelled storage; \"paper\": so that an expert of "
                  "this model takes as long as EdgeMoE's own 18.9 MB expert does unscaled")
      ->type_name("X|paper");
  app->add_option("--prompt", run->prompt, "Text to continue")->type_name("TEXT");
  app->add_option("-n,--tokens", run->tokens, "Tokens to write in a run")
      ->check(CLI::Range(1u, 1u << 20))
      ->type_name("N");
  app->add_option("--warmup", run->warmup_tokens,
                  "Tokens written before each run in answer to another prompt")
      ->type_name("N");
  app->add_option("--seconds", run->seconds_max,
                  "Ends a run's writing after so long, but not before three tokens; 0: never")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  app->add_option("--runs", run->runs, "Runs of each configuration, taken in turn")
      ->check(CLI::Range(1u, 1000u))
      ->type_name("N");
  app->add_option("-t,--threads", run->engine.threads, "Computing threads; 0: one for each core")
      ->type_name("N");
  app->add_option("--context", run->engine.context_tokens, "Longest sequence in tokens")
      ->type_name("N");
  app->add_option("--chunk", run->engine.prefill_chunk_tokens, "Prompt tokens in a step")
      ->type_name("N");
  app->add_option("--io-backend", run->engine.io_backend, NamesOf("io_backend"))->type_name("NAME");
  app->add_option("--io-depth", run->engine.io_depth, "Reads in flight")->type_name("N");
  app->add_option("--verify", run->engine.verify, NamesOf("verify"))->type_name("NAME");
  app->add_option("--kernels", run->engine.kernels, NamesOf("kernels"))->type_name("NAME");
}

void AddQuality(CLI::App* app, QualityCommand* quality) {
  app->add_option("-m,--model", quality->models, "GGUF files or expert packs, one after another")
      ->delimiter(',')
      ->type_name("FILE,...")
      ->required();
  app->add_option("--reference", quality->reference,
                  "The model that they are held against; without it perplexity alone")
      ->type_name("FILE");
  app->add_option("-f,--text", quality->text, "A text to be predicted")
      ->type_name("FILE")
      ->required();
  app->add_option("--context", quality->context_tokens,
                  "Tokens of a window; the second half of each is scored")
      ->type_name("N");
  app->add_option("--windows", quality->windows, "Windows from the text's beginning; 0: all")
      ->type_name("N");
  app->add_option("--memory", quality->memory, "Memory for one model, as in 600MiB")
      ->type_name("SIZE");
  app->add_option("-t,--threads", quality->threads, "Computing threads; 0: one for each core")
      ->type_name("N");
  app->add_option("--io-backend", quality->io_backend, NamesOf("io_backend"))->type_name("NAME");
  app->add_option("--kernels", quality->kernels, NamesOf("kernels"))->type_name("NAME");
}

class Parser {
 public:
  Parser() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_version_flag("--version", "edgemoe-bench " EDGEMOE_VERSION);
    app_.add_option("--json", settings_.json,
                    "Writes everything measured to a file; - is standard output, in place of the "
                    "table")
        ->type_name("FILE");
    auto [decode, decode_command] =
        Add<DecodeCommand>("decode", "Speed of writing, and what experts cost it");
    AddRun(decode, &decode_command->run);

    auto [prefill, prefill_command] = Add<PrefillCommand>("prefill", "Speed of reading a prompt");
    AddRun(prefill, &prefill_command->run);
    prefill->add_option("--chunks", prefill_command->chunks, "Prompt tokens in a step")
        ->delimiter(',')
        ->type_name("N,...");
    prefill->add_option("--prompt-tokens", prefill_command->prompt_tokens, "Length of the prompt")
        ->check(CLI::Range(1u, 1u << 20))
        ->type_name("N");

    auto [speed, speed_command] = Add<SpeedCommand>(
        "speed", "The speed that a plan is expected to give, beside the one that is measured");
    speed_command->run.runs = 7;
    speed_command->run.warmup_tokens = 192;
    AddRun(speed, &speed_command->run);

    auto [io, io_command] = Add<IoCommand>("io", "Speed of the storage under a file");
    io->add_option("file", io_command->path, "A file on it, which is read at random")->required();
    io->add_option("--io-backend", io_command->io_backend, NamesOf("io_backend"))
        ->type_name("NAME");

    auto [baselines, baselines_command] = Add<BaselinesCommand>(
        "baselines", "The engine beside the paper's baselines, with their ratios");
    RunSettings* run = &baselines_command->run;
    run->expert_budgets = {"25%"};
    run->modes = {"edgemoe", "resident", "on-demand", "layer-stream"};
    run->storages = {"nvme", "sata", "sd"};
    run->storage_scale = "paper";
    run->tokens = 32;
    AddRun(baselines, run);

    auto [replay, replay_command] =
        Add<ReplayCommand>("replay", "A routing trace through caches, without a model");
    replay->add_option("trace", replay_command->trace, "Recorded routing")->required();
    AddList(replay, "--policy", &replay_command->policies, "Eviction policies (default: all)",
            "POLICY");
    AddList(replay, "--predictor", &replay_command->predictors,
            "none, path, previous-token (default: none)", "PREDICTOR");
    AddList(replay, "--budget", &replay_command->budgets, "Sizes of the cache", "SIZE")->required();

    auto [quality, quality_command] = Add<QualityCommand>(
        "quality", "KL divergence from a reference, and perplexity, as llama-perplexity has them");
    AddQuality(quality, quality_command);
  }

  std::variant<Settings, int> Parse(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : kUsage;
    }
    for (int i = 0; i < argc; ++i)
      settings_.command_line += (i == 0 ? "" : " ") + std::string(argv[i]);
    settings_.command = take_();
    return std::move(settings_);
  }

 private:
  template <class T>
  std::pair<CLI::App*, T*> Add(const std::string& name, const std::string& help) {
    auto command = std::make_shared<T>();
    CLI::App* app = app_.add_subcommand(name, help);
    app->option_defaults()->always_capture_default();
    app->callback([this, command] { take_ = [command]() -> Command { return *command; }; });
    return {app, command.get()};
  }

  CLI::App app_{"edgemoe-bench: measures the engine; JSON for programs, a table for people",
                "edgemoe-bench"};
  Settings settings_;
  std::function<Command()> take_;
};

}  // namespace

EngineOptions RunSettings::OneRequestAtATime() {
  EngineOptions options;
  options.sessions_max = 1;
  options.queue_max = 1;
  options.context_tokens = 1024;
  return options;
}

std::variant<Settings, int> ParseCommandLine(int argc, char** argv) {
  return Parser().Parse(argc, argv);
}

Result<std::uint64_t> ParseShare(const std::string& text, std::uint64_t whole) {
  if (!text.ends_with('%')) return ParseByteSize(text);
  double percent = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || stop != end || !(percent > 0 && percent <= 100))
    return Failure(
        NotAccepted(ShowValue(text), "a size as in 300MiB, or a share above 0% and up to 100%"));
  return static_cast<std::uint64_t>(static_cast<double>(whole) * percent / 100);
}

}  // namespace edgemoe::bench
