// SPDX-License-Identifier: Apache-2.0
//
// Experts in mapped files: the naive baseline, which leaves all to the kernel's page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/io/mapped_file.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// An expert's pages are touched, one after another as a program that faults on them would, before
// it is given, so that waiting for storage is seen as such and a read error is a status instead of
// a SIGBUS. The memory is the page cache's: outside every budget, and the kernel's to take away,
// also from an expert in use, which then faults again. A file that is cut short while an expert is
// in use still ends the process; before Linux 5.14 so does a read error. For measurements only.
//
// Checksums of packs are not looked at. Confined to the engine's thread. No allocation after Open,
// except for the message of a failure.
class MappedSource final : public ExpertSource {
 public:
  // `paths` by file index. `layout` and `clock` outlive the source. Errors as MappedFile::Open.
  static Result<std::unique_ptr<MappedSource>> Open(const ExpertLayout& layout,
                                                    std::span<const std::string> paths,
                                                    const Clock* clock);
  // REQUIRES: all that was given is released.
  ~MappedSource() override;

  void Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
             std::span<const ExpertIndex> experts) override;
  std::size_t NextReady(std::span<ReadyExpert> ready) override;
  void Release(std::span<const ReadyExpert> ready) override;
  void Abandon() override;
  const ExpertIoAccount& account() const override { return account_; }

 private:
  MappedSource(const ExpertLayout& layout, const Clock* clock) : layout_(layout), clock_(clock) {}

  // True when nothing had to be read.
  bool Give(ExpertIndex expert, ReadyExpert& ready);
  Status Touch(const ExpertExtent& extent) const;

  const ExpertLayout& layout_;
  const Clock* const clock_;
  std::vector<MappedFile> files_;
  ExpertLayerIndex layer_;
  std::vector<ExpertIndex> wants_;
  std::size_t given_count_ = 0;
  std::size_t unreleased_count_ = 0;
  ExpertIoAccount account_;
};

}  // namespace edgemoe
