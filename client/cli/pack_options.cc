// SPDX-License-Identifier: Apache-2.0
#include "client/cli/pack_options.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// "1%" and "0.01" are the same.
double FractionOf(const std::string& option, const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool percent = parsed.ptr + 1 == end && *parsed.ptr == '%';
  if (parsed.ec != std::errc() || (parsed.ptr != end && !percent))
    throw CLI::ValidationError(option, "expected a share as in 1% or 0.01, found " + text);
  return percent ? value / 100 : value;
}

// A choice by name.
template <class Enum>
void AddChoice(CLI::App* app, const std::string& option, const std::map<std::string, Enum>& names,
               const std::function<void(Enum)>& set, const std::string& help,
               const std::string& type) {
  app->add_option_function<std::string>(
         option,
         [names, option, set](const std::string& text) {
           const auto found = names.find(text);
           if (found != names.end()) return set(found->second);
           std::string accepted;
           for (const auto& [name, value] : names)
             accepted += (accepted.empty() ? "" : ", ") + name;
           throw CLI::ValidationError(option, "expected one of " + accepted + ", found " + text);
         },
         help)
      ->type_name(type);
}

}  // namespace

void AddPackTargets(CLI::App* app, const std::string& bits, const std::string& group,
                    const std::function<v1::PackRequest*()>& request) {
  CLI::Option* const targets[] = {
      app->add_option_function<double>(
             bits, [request](double value) { request()->set_bits(value); },
             "Bits a weight at most, over the whole file, as in 3.5")
          ->type_name("BITS"),
      app->add_option_function<std::string>(
             "--size",
             [request](const std::string& text) {
               request()->set_size_bytes(SizeFromText("--size", text));
             },
             "Length of the pack at most, as in 12GiB")
          ->type_name("SIZE"),
      app->add_option_function<double>(
             "--max-kl", [request](double kl) { request()->set_max_kl(kl); },
             "Smallest pack whose mean KL divergence to the source is at most this, in nats")
          ->type_name("KL"),
      app->add_option_function<std::string>(
             "--max-ppl-increase",
             [request](const std::string& text) {
               request()->set_max_ppl_increase(FractionOf("--max-ppl-increase", text));
             },
             "Smallest pack whose perplexity is at most this much higher, as in 1%")
          ->type_name("SHARE")};
  for (CLI::Option* const target : targets) {
    target->group(group);
    for (CLI::Option* const other : targets)
      if (other != target) target->excludes(other);
  }
}

void AddPackOptions(CLI::App* app, v1::PackRequest* request) {
  const auto add_path = [app](const std::string& name, const std::string& help,
                              const std::string& type,
                              const std::function<void(const std::string&)>& set) {
    return app->add_option_function<std::string>(name, set, help)->type_name(type);
  };
  add_path("source", "A GGUF file, of a split one the first part; or a model's name", "SOURCE",
           [request](const std::string& path) { request->set_source_path(path); })
      ->required();
  add_path("output,-o,--output",
           "The pack, beside the source or in the daemon's models.directory (default: "
           "SOURCE-pack.gguf)",
           "FILE", [request](const std::string& path) { request->set_output_path(path); });
  app->add_flag_callback(
      "--overwrite", [request] { request->set_overwrite(true); }, "Replace a file that is there");
  AddPackTargets(app, "--bits", "Target (without one: a copy, bit for bit)",
                 [request] { return request; });
  AddChoice<v1::PackMethod>(
      app, "--method",
      {{"copy", v1::PACK_METHOD_COPY},
       {"sensitivity", v1::PACK_METHOD_SENSITIVITY},
       {"uniform", v1::PACK_METHOD_UNIFORM},
       {"edgemoe", v1::PACK_METHOD_EDGEMOE}},
      [request](v1::PackMethod method) { request->set_method(method); },
      "How types are chosen: sensitivity (by what errors do to the output; the default with a "
      "target), uniform (one type for all), edgemoe (the paper's search), copy",
      "NAME");
  AddChoice<v1::PackGranularity>(
      app, "--granularity",
      {{"expert", v1::PACK_GRANULARITY_PER_EXPERT}, {"role", v1::PACK_GRANULARITY_PER_ROLE}},
      [request](v1::PackGranularity value) { request->set_granularity(value); },
      "What has types of its own: expert (each expert's gate, up and down; the default) or role "
      "(each layer's)",
      "NAME");
  add_path("--calibration",
           "UTF-8 text like that which the model will read and write (default: the daemon's own)",
           "FILE", [request](const std::string& path) { request->set_calibration_path(path); });
  app->add_flag_callback(
      "--plan", [request] { request->set_plan_only(true); },
      "Show the types and the expected size and damage; write no pack");
  app->add_option_function<std::string>(
         "--memory",
         [request](const std::string& text) {
           request->set_memory_bytes(SizeFromText("--memory", text));
         },
         "Of the daemon's memory budget, while it measures (default: half of what the loaded model "
         "can give)")
      ->type_name("SIZE");
}

}  // namespace edgemoe::cli
