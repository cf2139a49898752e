// SPDX-License-Identifier: Apache-2.0
//
// Writes the files that later releases must read, or refuse by name. Once for each release, when
// its formats are final:
//
//   build/tests/releases/release_files tests/releases/VERSION
//
// FOLDER/model.gguf is a pack; FOLDER/state what a daemon learns; FOLDER/trace.csv a recording;
// FOLDER/edgemoed.json and edgemoed.d a configuration; FOLDER/chat.json a conversation.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "client/cli/chat/chat_file.h"
#include "engine/engine.h"
#include "engine/io/probe/probe_store.h"
#include "engine/options.h"
#include "engine/pack.h"
#include "engine/speed/compute_store.h"
#include "engine/speed/speed_history.h"
#include "server/process/config_file.h"
#include "tests/engine/serving/listener.h"
#include "tests/releases/release_keys.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file ? OkStatus() : UnavailableError(path + ": cannot be written");
}

Status WriteModelPack(const std::string& path) {
  const std::string source = path + ".source";
  EDGEMOE_RETURN_IF_ERROR(WriteTinyModel(source, {.expert_width = 32,
                                                  .gate_type = TensorType::kQ4_0,
                                                  .up_type = TensorType::kQ4_0,
                                                  .down_type = TensorType::kQ4_0}));
  const auto report = WritePack({.source_path = source, .output_path = path});
  std::filesystem::remove(source);
  return report ? OkStatus() : report.error();
}

// A run that leaves its state in `state` and its routing in `trace`.
Status RunModel(const std::string& model, const std::string& state, const std::string& trace) {
  EngineOptions options = ReleaseOptions(model, state);
  auto engine = Engine::Open(options);
  if (!engine) return engine.error();
  auto recording = (*engine)->RecordRouting([](std::uint64_t) {});
  if (!recording) return recording.error();
  Status status;
  const auto listener = Submit(**engine, Greedy("Once upon a time", 24), &status);
  EDGEMOE_RETURN_IF_ERROR(status);
  EDGEMOE_RETURN_IF_ERROR(listener->Wait().status());
  (*recording)->Stop();
  return WriteText(trace, (*recording)->header() + (*recording)->Take());
}

Status WriteMeasurements(const std::string& state) {
  const DeviceProbe device{.key = ReleaseStorage(),
                           .backend = "io_uring",
                           .direct = true,
                           .points = {{65536, 1, 2.5e8}, {262144, 8, 1.5e9}},
                           .small_read_ns = 90'000,
                           .cpu_seconds_per_byte = 1e-11,
                           .note = ""};
  EDGEMOE_RETURN_IF_ERROR(WriteProbe(ProbeStorePath(state, device.key), device));
  const ComputeProbe compute{.key = ReleaseProcessor(),
                             .read_bytes_per_second = 2e10,
                             .loop_seconds = 5e-6,
                             .cache_bytes = 1 << 25,
                             .rates = {{TensorType::kQ8_0, 1e10, 2e10}}};
  EDGEMOE_RETURN_IF_ERROR(WriteComputeProbe(ComputeStorePath(state, compute.key), compute));
  const SpeedHistory history(state);
  EDGEMOE_RETURN_IF_ERROR(history.Add({.expected = 10, .measured = 9, .model = "a"}));
  EDGEMOE_RETURN_IF_ERROR(
      history.Add({.expected = 8, .measured = 8.5, .model = "b", .miss_exponent = 0.5}));
  // Of this machine's processor until now.
  std::ifstream file(history.path());
  nlohmann::json stored = nlohmann::json::parse(file);
  stored["processor"] = ReleaseProcessor().processor;
  return WriteText(history.path(), stored.dump(2) + "\n");
}

Status WriteConfig(const std::string& path) {
  Config config;
  config.listen.allow_users = {"alice", "1000"};
  config.engine.model_path = "/var/lib/edgemoe/models/model.gguf";
  config.engine.context_tokens = 8192;
  EDGEMOE_RETURN_IF_ERROR(WriteText(path, FormatConfig(config)));
  std::filesystem::create_directories(DropInFolder(path));
  return WriteText(DropInFolder(path) + "/50-memory.json", R"({"memory": {"budget": "2GiB"}})"
                                                           "\n");
}

Status WriteChat(const std::string& path) {
  v1::ChatRequest request;
  request.mutable_sampling()->set_temperature(0.5F);
  for (const char* const role : {"system", "user", "assistant", "user"}) {
    v1::ChatMessage* const message = request.add_messages();
    message->set_role(role);
    message->add_content()->set_text(std::string("Words of ") + role + ": 1\u20132.\n");
  }
  const client::Status status = cli::SaveChat(request, path, false);
  return {static_cast<StatusCode>(status.code), status.message};
}

Status WriteAll(const std::string& folder) {
  if (std::filesystem::exists(folder))
    return InvalidArgumentError(folder + ": is there; a release's files are written once");
  std::filesystem::create_directories(folder);
  EDGEMOE_RETURN_IF_ERROR(WriteModelPack(folder + "/model.gguf"));
  EDGEMOE_RETURN_IF_ERROR(
      RunModel(folder + "/model.gguf", folder + "/state", folder + "/trace.csv"));
  EDGEMOE_RETURN_IF_ERROR(WriteMeasurements(folder + "/state"));
  EDGEMOE_RETURN_IF_ERROR(WriteConfig(folder + "/edgemoed.json"));
  return WriteChat(folder + "/chat.json");
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: release_files FOLDER\n");
    return 64;
  }
  const edgemoe::Status status = edgemoe::WriteAll(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
