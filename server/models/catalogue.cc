// SPDX-License-Identifier: Apache-2.0
#include "server/models/catalogue.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/base/byte_size.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFileBytesMax = 256 * kKiB;
constexpr std::size_t kEntriesMax = 256;
// Up to so much memory the smaller quants are meant.
constexpr std::uint64_t kSmallMachineBytes = 6 * kGiB;
constexpr std::uint64_t kMiddleMachineBytes = 12 * kGiB;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool BeginsWith(std::string_view text, std::string_view begin) {
  return text.size() >= begin.size() &&
         std::ranges::equal(text.substr(0, begin.size()), begin, {}, Lower, Lower);
}

// Throws what nlohmann::json throws for keys that are missing and values of other types.
CatalogueEntry EntryFrom(const json& entry) {
  const json& quant = entry.at("quant");
  return {.name = entry.at("name").get<std::string>(),
          .repository = entry.at("repository").get<std::string>(),
          .licence = entry.at("licence").get<std::string>(),
          .file = entry.at("file").get<std::string>(),
          .quant_4gb = quant.at("4GB").get<std::string>(),
          .quant_8gb = quant.at("8GB").get<std::string>(),
          .quant_16gb = quant.at("16GB").get<std::string>()};
}

}  // namespace

Result<Catalogue> Catalogue::Read(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) return Failure(ErrnoStatus(error.value(), path));
  if (bytes > kFileBytesMax)
    return Failure(InvalidArgumentError(path + ": found " + FormatByteSize(bytes) +
                                        "; accepted: at most " + FormatByteSize(kFileBytesMax)));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure(ErrnoStatus(EACCES, path));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  Catalogue catalogue;
  try {
    for (const json& entry : root.at("models")) {
      if (catalogue.entries_.size() == kEntriesMax)
        return Failure(
            InvalidArgumentError(path + ": more than " + std::to_string(kEntriesMax) + " models"));
      catalogue.entries_.push_back(EntryFrom(entry));
    }
  } catch (const json::exception& problem) {
    return Failure(InvalidArgumentError(
        path + ": models[" + std::to_string(catalogue.entries_.size()) + "]: " + problem.what()));
  }
  return catalogue;
}

std::string Catalogue::ReferenceOf(const std::string& model, std::uint64_t memory_bytes) const {
  const std::size_t colon = model.find(':');
  const CatalogueEntry* const entry = Find(std::string_view(model).substr(0, colon));
  if (entry == nullptr) return model;
  std::string quant;
  if (colon != std::string::npos) {
    quant = model.substr(colon + 1);
  } else if (memory_bytes <= kSmallMachineBytes) {
    quant = entry->quant_4gb;
  } else {
    quant = memory_bytes <= kMiddleMachineBytes ? entry->quant_8gb : entry->quant_16gb;
  }
  return "hf.co/" + entry->repository + ":" + quant;
}

std::string Catalogue::RepositoryOf(const std::string& model) const {
  const std::size_t colon = std::min(model.find(':'), model.size());
  const CatalogueEntry* const entry = Find(std::string_view(model).substr(0, colon));
  return entry == nullptr ? model : "hf.co/" + entry->repository + model.substr(colon);
}

bool Catalogue::Has(std::string_view model) const {
  return Find(model.substr(0, model.find(':'))) != nullptr;
}

bool Catalogue::Means(std::string_view name, std::string_view file_name) const {
  const CatalogueEntry* const entry = Find(name);
  if (entry == nullptr || !BeginsWith(file_name, entry->file)) return false;
  // "Qwen3-30B-A3B" is not "Qwen3-30B-A3B-Instruct-2507", which has an entry of its own.
  return std::ranges::none_of(entries_, [&](const CatalogueEntry& other) {
    return other.file.size() > entry->file.size() && BeginsWith(file_name, other.file);
  });
}

const CatalogueEntry* Catalogue::Find(std::string_view name) const {
  const auto is_named = [name](const CatalogueEntry& entry) {
    return std::ranges::equal(entry.name, name, {}, Lower, Lower);
  };
  const auto place = std::ranges::find_if(entries_, is_named);
  return place == entries_.end() ? nullptr : &*place;
}

}  // namespace edgemoe
