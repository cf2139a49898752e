// SPDX-License-Identifier: Apache-2.0
#include "download/hub/hub_listing.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/split_name.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::string_view kDefaultQuant = "Q4_K_M";
constexpr std::size_t kListedMax = 40;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c; }

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = Upper(c);
  return upper;
}

std::string_view LastComponent(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// That of a split model's part which there can be.
std::optional<SplitName> ParsePartName(std::string_view path) {
  const auto name = ParseSplitName(path);
  return name && name->is_possible() ? name : std::nullopt;
}

// "Q4_K_M", "IQ2_XXS", "BF16", "F16", "MXFP4_MOE", "TQ1_0", "Q8_0".
bool IsQuant(std::string_view word) {
  for (const std::string_view begin : {"IQ", "TQ", "BF", "MXFP", "NVFP", "Q", "F"})
    if (word.size() > begin.size() && word.starts_with(begin) && IsDigit(word[begin.size()]))
      return std::ranges::all_of(
          word, [](char c) { return (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_'; });
  return false;
}

std::string ShowModels(const std::vector<HubModel>& models) {
  std::string text;
  for (std::size_t i = 0; i < models.size() && i < kListedMax; ++i) {
    const std::string name = models[i].quant.empty()
                                 ? std::string(LastComponent(models[i].files.front().path))
                                 : models[i].quant;
    text += (i == 0 ? "" : ", ") + name + " (" + FormatByteSize(models[i].bytes) + ")";
  }
  if (models.size() > kListedMax) text += ", and more";
  return text;
}

Result<HubModel> Whole(const HubModel& model) {
  EDGEMOE_FAIL_IF_ERROR(CheckWhole(model));
  return model;
}

Status NoListing(std::string_view problem) {
  return DataLossError("the hub's answer: " + std::string(problem));
}

// A value of a kind, or what stands for "not there".
std::string StringIn(const json& object, const char* key) {
  const auto place = object.find(key);
  return place != object.end() && place->is_string() ? place->get<std::string>() : std::string();
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Status AppendHubFiles(std::string_view text, std::vector<HubFile>& files) {
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_array()) return NoListing("found no list of files");
  for (const json& entry : answer) {
    if (!entry.is_object()) return NoListing("found an entry that is no object");
    HubFile file;
    file.path = StringIn(entry, "path");
    if (StringIn(entry, "type") != "file" || !FileNameOf(file.path)) continue;
    const json* sized = &entry;
    if (const auto lfs = entry.find("lfs"); lfs != entry.end() && lfs->is_object()) {
      sized = &*lfs;
      file.sha256 = StringIn(*lfs, "oid");
      if (!IsSha256(file.sha256)) return NoListing(file.path + ": lfs.oid is no SHA-256");
    }
    const auto size = sized->find("size");
    if (size == sized->end() || !size->is_number_unsigned())
      return NoListing(file.path + ": found no size");
    file.bytes = size->get<std::uint64_t>();
    if (file.bytes > std::uint64_t{1} << 50) return NoListing(file.path + ": a size of over 1 PiB");
    if (files.size() >= kHubFilesMax)
      return ResourceExhaustedError("the repository has more than " + std::to_string(kHubFilesMax) +
                                    " GGUF files");
    files.push_back(std::move(file));
  }
  return OkStatus();
}

Result<std::string> ParseHubCommit(std::string_view text) {
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const std::string sha = answer.is_object() ? StringIn(answer, "sha") : std::string();
  const bool is_sha = sha.size() >= 7 && sha.size() <= 64 && std::ranges::all_of(sha, [](char c) {
                        return IsDigit(c) || (c >= 'a' && c <= 'f');
                      });
  if (!is_sha) return Failure(NoListing("found no commit"));
  return sha;
}

std::string QuantOfName(std::string_view file_name) {
  const std::optional<SplitName> part = ParsePartName(file_name);
  std::string name = Upper(part ? part->stem : file_name);
  if (name.ends_with(".GGUF")) name.resize(name.size() - 5);
  std::string_view rest = name;
  while (true) {
    const std::size_t cut = rest.find_last_of("-.");
    const std::string_view word = rest.substr(cut + 1);
    if (IsQuant(word)) {
      const bool is_dynamic = cut != std::string_view::npos && rest.substr(0, cut).ends_with("-UD");
      return (is_dynamic ? "UD-" : "") + std::string(word);
    }
    if (cut == std::string_view::npos) return {};
    rest = rest.substr(0, cut);
  }
}

std::vector<std::string> PartPaths(const std::string& path) {
  const std::optional<SplitName> name = ParsePartName(path);
  if (!name) return {path};
  std::vector<std::string> paths;
  for (std::uint32_t part = 1; part <= name->count; ++part) paths.push_back(name->PathOf(part));
  return paths;
}

std::vector<HubModel> GroupModels(const std::vector<HubFile>& files) {
  std::map<std::string, HubModel> by_name;
  std::map<std::string, std::map<std::uint32_t, HubFile>> parts;
  for (const HubFile& file : files) {
    const std::string_view name = LastComponent(file.path);
    if (Upper(name).find("MMPROJ") != std::string::npos) continue;
    const SplitName part = ParsePartName(file.path).value_or(SplitName{file.path, 1, 1});
    const std::string key = std::string(part.stem) + "\n" + std::to_string(part.count);
    HubModel& model = by_name[key];
    model.quant = QuantOfName(name);
    model.part_count = part.count;
    parts[key][part.part] = file;
  }
  std::vector<HubModel> models;
  for (auto& [key, model] : by_name) {
    for (const auto& [number, file] : parts[key]) {
      model.bytes += file.bytes;
      model.files.push_back(file);
    }
    models.push_back(std::move(model));
  }
  std::ranges::stable_sort(models, {}, &HubModel::bytes);
  return models;
}

Status CheckWhole(const HubModel& model) {
  if (model.files.size() == model.part_count) return OkStatus();
  return FailedPreconditionError(model.files.front().path + ": the repository has " +
                                 std::to_string(model.files.size()) + " of its " +
                                 std::to_string(model.part_count) + " parts");
}

Result<HubModel> ChooseModel(const std::vector<HubModel>& models, const ModelReference& reference) {
  if (models.empty())
    return Failure(NotFoundError(reference.repository + ": the repository has no GGUF file"));
  if (!reference.path.empty()) {
    for (const HubModel& model : models)
      for (const HubFile& file : model.files)
        if (file.path == reference.path) return Whole(model);
    return Failure(NotFoundError(reference.repository + ": has no file " +
                                 ShowValue(reference.path) + "; it has " + ShowModels(models)));
  }
  std::string wanted = Upper(reference.quant);
  if (wanted.empty()) {
    if (models.size() == 1) return Whole(models.front());
    wanted = kDefaultQuant;
  }
  std::vector<const HubModel*> found;
  for (const HubModel& model : models)
    if (model.quant == wanted) found.push_back(&model);
  // The dynamic ones, where there are no others.
  for (const HubModel& model : models)
    if (found.empty() && model.quant == "UD-" + wanted) found.push_back(&model);
  if (found.size() == 1) return Whole(*found.front());
  if (found.size() > 1)
    return Failure(InvalidFieldError(
        "model", reference.repository + " has " + std::to_string(found.size()) + " models of " +
                     wanted + ": name one by its address, " + std::string(kDefaultHub) +
                     "/ORG/REPO/blob/main/FILE; there are " + found[0]->files.front().path + ", " +
                     found[1]->files.front().path));
  if (reference.quant.empty())
    return Failure(InvalidFieldError(
        "model", "which of them? " + FoundAndAccepted("no quant", ShowModels(models))));
  return Failure(
      Status(StatusCode::kNotFound, "model",
             FoundAndAccepted("quant " + ShowValue(reference.quant), ShowModels(models))));
}

}  // namespace edgemoe
