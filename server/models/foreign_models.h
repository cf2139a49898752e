// SPDX-License-Identifier: Apache-2.0
//
// Models that other programs keep on this machine, to be used where they lie: ollama's manifests
// and blobs, llama.cpp's cache, and the cache of Hugging Face's libraries.
#pragma once

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

constexpr std::size_t kForeignModelsMax = 256;

// By place, then by name; at most kForeignModelsMax. What cannot be read, and manifests that are
// none, are left out; of a split model there is the first part. Opens manifests, no model.
std::vector<ForeignModel> FindForeignModels(const ForeignPlaces& places);

}  // namespace edgemoe
