// SPDX-License-Identifier: Apache-2.0
//
// Models that other programs keep on this machine, to be used where they lie: ollama's manifests
// and blobs, llama.cpp's cache, and the cache of Hugging Face's libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace edgemoe {

// Folders; an empty one is none.
struct ForeignPlaces {
  std::vector<std::string> ollama;  // each with "manifests" and "blobs"
  std::string llama_cpp;            // GGUF files
  std::string hugging_face;         // "models--ORG--REPO/snapshots/COMMIT"

  // Where these programs keep them by their own rules: OLLAMA_MODELS, LLAMA_CACHE, HF_HUB_CACHE,
  // HF_HOME, XDG_CACHE_HOME, HOME, and ollama's service. `get` gives a variable's value or null.
  static ForeignPlaces FromEnvironment(const char* (*get)(const char* name));
};

struct ForeignModel {
  std::string name;  // "qwen3:30b-a3b" of ollama, else the file's name without .gguf
  std::string path;
};

// A file that may be one of a model, or a part of one.
struct ForeignFile {
  std::string path;  // without links
  std::uint64_t bytes = 0;
  std::string sha256{};  // as its name says: of ollama's and Hugging Face's blobs
};

constexpr std::size_t kForeignModelsMax = 256;

// By place, then by name; at most kForeignModelsMax. What cannot be read, and manifests that are
// none, are left out; of a split model there is the first part. Opens manifests, no model.
std::vector<ForeignModel> FindForeignModels(const ForeignPlaces& places);

constexpr std::size_t kForeignFilesMax = 1024;
constexpr std::size_t kForeignFilesPathBytesMax = 512 * 1024;

// What a download need not fetch again: all parts of split models, too. In the same order; at most
// kForeignFilesMax, whose paths have kForeignFilesPathBytesMax. Opens no file.
std::vector<ForeignFile> FindForeignFiles(const ForeignPlaces& places);

}  // namespace edgemoe
