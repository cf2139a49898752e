// SPDX-License-Identifier: Apache-2.0
//
// Writes a seed for gguf_fuzz for every architecture: the header of each small model of
// tests/golden/fixtures.h with F32 weights, without a vocabulary's tokens and without data.
//
//   model_seeds FOLDER
#include <cstdio>
#include <string>

#include "engine/base/system/whole_file.h"
#include "tests/golden/fixtures.h"

namespace edgemoe {
namespace {

Status WriteSeed(const std::string& folder, const Fixture& fixture) {
  GgufWriter writer;
  for (GgufEntry& entry : RandomModelKeys(fixture.model))
    if (!entry.key.starts_with("tokenizer."))
      EDGEMOE_RETURN_IF_ERROR(writer.Set(entry.key, std::move(entry.value)));
  const ModelConfig& config = fixture.model.config;
  EDGEMOE_RETURN_IF_ERROR(writer.Set(config.architecture + ".vocab_size", config.vocabulary_size));
  for (const RandomTensor& tensor : RandomModelTensors(fixture.model))
    EDGEMOE_RETURN_IF_ERROR(writer.AddTensor(tensor.name, tensor.type, tensor.dims));
  const GgufHeader header = writer.Build();
  return WriteWholeFile(folder + "/" + fixture.name + ".gguf", header.bytes);
}

int Run(const std::string& folder) {
  for (const Fixture* const fixture : PlainFixtures()) {
    const Status written = WriteSeed(folder, *fixture);
    if (written.ok()) continue;
    std::fprintf(stderr, "%s: %s\n", fixture->name.c_str(), written.ToString().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) {
  if (argc == 2) return edgemoe::Run(argv[1]);
  std::fprintf(stderr, "usage: model_seeds FOLDER\n");
  return 64;
}
