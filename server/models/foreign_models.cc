// SPDX-License-Identifier: Apache-2.0
#include "server/models/foreign_models.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "server/models/model_directory.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t kManifestBytesMax = 256 * 1024;
constexpr int kDepthMax = 6;
constexpr std::size_t kPlaceEntriesMax = 20'000;  // looked at
constexpr std::string_view kModelLayer = "application/vnd.ollama.image.model";

// The regular files below a folder that `take` wants, by path.
template <class Take>
void Walk(const std::string& folder, Take take) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  std::size_t seen = 0;
  for (const fs::recursive_directory_iterator end;
       !error && entry != end && seen < kPlaceEntriesMax; entry.increment(error), ++seen) {
    if (entry.depth() >= kDepthMax) entry.disable_recursion_pending();
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) take(file);
}

// The digest of a manifest's model, as a blob is named: "sha256-0123...". Empty: there is none.
std::string BlobOf(const fs::path& manifest) {
  std::error_code error;
  if (fs::file_size(manifest, error) > kManifestBytesMax || error) return {};
  std::ifstream file(manifest, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    for (const json& layer : root.at("layers")) {
      if (layer.at("mediaType").get<std::string>() != kModelLayer) continue;
      auto digest = layer.at("digest").get<std::string>();
      const std::size_t colon = digest.find(':');
      const bool is_plain = std::ranges::all_of(digest, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':';
      });
      if (colon == std::string::npos || !is_plain) return {};
      digest[colon] = '-';
      return digest;
    }
  } catch (const json::exception&) {
  }
  return {};
}

// "qwen3:30b-a3b" of "registry.ollama.ai/library/qwen3/30b-a3b"; others keep host and owner.
std::string OllamaName(const fs::path& manifest, const fs::path& manifests) {
  std::string name = manifest.lexically_relative(manifests).generic_string();
  for (const std::string_view usual : {"registry.ollama.ai/library/", "registry.ollama.ai/"}) {
    if (!name.starts_with(usual)) continue;
    name.erase(0, usual.size());
    break;
  }
  const std::size_t slash = name.rfind('/');
  if (slash != std::string::npos) name[slash] = ':';
  return name;
}

void AddOllama(const std::string& folder, std::vector<ForeignModel>& models) {
  const fs::path manifests = fs::path(folder) / "manifests";
  Walk(manifests.string(), [&](const fs::path& manifest) {
    const std::string blob = BlobOf(manifest);
    std::error_code error;
    const fs::path path = fs::path(folder) / "blobs" / blob;
    if (!blob.empty() && fs::is_regular_file(path, error))
      models.push_back({OllamaName(manifest, manifests), path.string()});
  });
}

// Every GGUF file of a cache.
template <class Take>
void WalkCaches(const ForeignPlaces& places, Take take) {
  const auto walk = [&take](const std::string& folder, std::string_view within) {
    if (folder.empty()) return;
    Walk(folder, [&](const fs::path& file) {
      if (file.extension() == ".gguf" && file.string().find(within) != std::string::npos)
        take(file);
    });
  };
  walk(places.llama_cpp, "/");
  walk(places.hugging_face, "/snapshots/");
}

// Of a blob's name; empty where it is none.
std::string Sha256Of(std::string_view name, std::string_view prefix) {
  constexpr std::size_t kDigits = 64;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  return name.size() == kDigits && std::ranges::all_of(name, is_digit) ? std::string(name)
                                                                       : std::string();
}

}  // namespace

ForeignPlaces ForeignPlaces::FromEnvironment(const char* (*get)(const char* name)) {
  const auto value = [get](const char* name) {
    const char* const text = get(name);
    return std::string(text == nullptr ? "" : text);
  };
  // `folder` and what is below it, where there is one.
  const auto below = [](const std::string& folder, const char* path) {
    return folder.empty() ? std::string() : folder + path;
  };
  const std::string home = value("HOME");
  std::string cache = value("XDG_CACHE_HOME");
  if (cache.empty()) cache = below(home, "/.cache");
  ForeignPlaces places;
  const std::string ollama = value("OLLAMA_MODELS");
  places.ollama.push_back(ollama.empty() ? below(home, "/.ollama/models") : ollama);
  places.ollama.emplace_back("/usr/share/ollama/.ollama/models");
  places.llama_cpp = value("LLAMA_CACHE");
  if (places.llama_cpp.empty()) places.llama_cpp = below(cache, "/llama.cpp");
  places.hugging_face = value("HF_HUB_CACHE");
  if (places.hugging_face.empty()) places.hugging_face = below(value("HF_HOME"), "/hub");
  if (places.hugging_face.empty()) places.hugging_face = below(cache, "/huggingface/hub");
  return places;
}

std::vector<ForeignModel> FindForeignModels(const ForeignPlaces& places) {
  std::vector<ForeignModel> models;
  for (const std::string& folder : places.ollama)
    if (!folder.empty()) AddOllama(folder, models);
  WalkCaches(places, [&models](const fs::path& file) {
    const std::string name = file.filename().string();
    if (!IsLaterPart(name) && !name.starts_with("mmproj"))
      models.push_back({file.stem().string(), file.string()});
  });
  if (models.size() > kForeignModelsMax) models.resize(kForeignModelsMax);
  return models;
}

std::vector<ForeignFile> FindForeignFiles(const ForeignPlaces& places) {
  std::vector<ForeignFile> files;
  std::size_t path_bytes = 0;
  const auto add = [&](const fs::path& path, std::string sha256) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (error || files.size() == kForeignFilesMax) return;
    path_bytes += path.native().size();
    if (path_bytes > kForeignFilesPathBytesMax) return;
    files.push_back({.path = path.string(), .bytes = bytes, .sha256 = std::move(sha256)});
  };
  for (const std::string& folder : places.ollama) {
    if (folder.empty()) continue;
    Walk((fs::path(folder) / "blobs").string(), [&add](const fs::path& blob) {
      std::string sha256 = Sha256Of(blob.filename().string(), "sha256-");
      if (!sha256.empty()) add(blob, std::move(sha256));
    });
  }
  WalkCaches(places, [&add](const fs::path& file) {
    // Of Hugging Face's a link to a blob.
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    if (!error) add(real, Sha256Of(real.filename().string(), ""));
  });
  return files;
}

}  // namespace edgemoe
