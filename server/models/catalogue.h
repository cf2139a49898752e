// SPDX-License-Identifier: Apache-2.0
//
// Short names of models, from a file of data (config/models.json): where each comes from, and which
// of its quants suits a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

struct CatalogueEntry {
  std::string name;        // "qwen3-30b-a3b"
  std::string repository;  // "ORG/REPO"
  std::string licence;
  std::string file;  // how the names of its files begin, in letters of either case
  std::string quant_4gb;
  std::string quant_8gb;
  std::string quant_16gb;
};

// Immutable; may be shared by threads.
class Catalogue {
 public:
  Catalogue() = default;

  // NOT_FOUND and PERMISSION_DENIED name the file; INVALID_ARGUMENT also the entry. At most 256
  // entries and 256 KiB.
  static Result<Catalogue> Read(const std::string& path);

  const std::vector<CatalogueEntry>& entries() const { return entries_; }

  // "hf.co/ORG/REPO:QUANT" of a short name, or of "NAME:QUANT"; other names as they are. Without a
  // quant: the one for a machine with so much memory.
  std::string ReferenceOf(const std::string& model, std::uint64_t memory_bytes) const;

  // The same without choosing a quant: "hf.co/ORG/REPO" of a short name.
  std::string RepositoryOf(const std::string& model) const;

  // Whether it is a short name, or one with a quant.
  bool Has(std::string_view model) const;

  // Whether a file of this name is one that the short name means. False for what is no short name.
  bool Means(std::string_view name, std::string_view file_name) const;

 private:
  const CatalogueEntry* Find(std::string_view name) const;

  std::vector<CatalogueEntry> entries_;
};

}  // namespace edgemoe
