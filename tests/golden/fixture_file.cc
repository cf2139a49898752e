// SPDX-License-Identifier: Apache-2.0
//
// Writes the models that record_models.py gives to llama.cpp.
//
//   fixture_file                          prints a line a fixture: its name
//   fixture_file NAME                     prints its keys and tensors
//   fixture_file NAME OUT [CHANGE...]     writes its file as llama.cpp is given it (ForLlama)
//                                         and prints the fixture's own checksum
//     CHANGE: KEY=VALUE  of the key's type;  KEY=  leaves it out;  @TENSOR  with other weights
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/checksum.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/random_model_file.h"

namespace edgemoe {
namespace {

// Integers, as in "0,2,0".
std::string Join(const GgufArray& array) {
  std::string text;
  for (std::size_t i = 0; i < array.size(); ++i) {
    std::int32_t number = 0;
    std::memcpy(&number, array.packed().data() + i * sizeof(number), sizeof(number));
    text += (i == 0 ? "" : ",") + std::to_string(number);
  }
  return text;
}

GgufArray Split(const std::string& text) {
  std::vector<std::int32_t> numbers;
  std::istringstream stream(text);
  for (std::string number; std::getline(stream, number, ',');)
    numbers.push_back(static_cast<std::int32_t>(std::strtol(number.c_str(), nullptr, 10)));
  return GgufArray::OfInt32(numbers);
}

std::string TextOf(const GgufValue& value) {
  if (const auto* number = std::get_if<std::uint32_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<float>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto* const array = std::get_if<GgufArray>(&value);
  return array == nullptr ? "" : Join(*array);
}

// `text` as a value of the type that `old` has.
GgufValue ParseLike(const GgufValue& old, const std::string& text) {
  if (std::holds_alternative<std::uint32_t>(old))
    return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
  if (std::holds_alternative<GgufArray>(old)) return Split(text);
  if (std::holds_alternative<float>(old)) return std::strtof(text.c_str(), nullptr);
  if (std::holds_alternative<bool>(old)) return text == "true";
  return text;
}

bool ApplyChange(const std::string& change, RandomModelOptions& model) {
  if (change.starts_with("@")) {
    model.altered_tensor = change.substr(1);
    return true;
  }
  const std::size_t equals = change.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = change.substr(0, equals);
  const std::string text = change.substr(equals + 1);
  if (key.ends_with(".expert_weights_scale")) {
    for (LayerConfig& layer : model.config.layers)
      if (layer.experts)
        layer.experts->weights_scale = text.empty() ? 1 : std::strtof(text.c_str(), nullptr);
    return true;
  }
  for (const GgufEntry& entry : RandomModelKeys(model)) {
    if (entry.key != key) continue;
    model.changed_keys[key] =
        text.empty() ? std::nullopt : std::optional<GgufValue>(ParseLike(entry.value, text));
    return true;
  }
  return false;
}

int Print(const Fixture& fixture) {
  for (const GgufEntry& entry : RandomModelKeys(fixture.model)) {
    if (entry.key.starts_with("tokenizer.")) continue;
    std::printf("key\t%s\t%s\n", entry.key.c_str(), TextOf(entry.value).c_str());
  }
  for (const RandomTensor& tensor : RandomModelTensors(fixture.model))
    std::printf("tensor\t%s\t%s\n", tensor.name.c_str(), TensorRoleName(tensor.role));
  return 0;
}

int Run(int argc, char** argv) {
  if (argc == 1) {
    for (const Fixture& fixture : Fixtures()) std::printf("%s\n", fixture.name.c_str());
    return 0;
  }
  const Fixture* const fixture = FindFixture(argv[1]);
  if (fixture == nullptr) {
    std::fprintf(stderr, "no fixture %s\n", argv[1]);
    return 2;
  }
  if (argc == 2) return Print(*fixture);
  RandomModelOptions model = fixture->model;
  for (int i = 3; i < argc; ++i) {
    if (ApplyChange(argv[i], model)) continue;
    std::fprintf(stderr, "%s has nothing to change by %s\n", argv[1], argv[i]);
    return 2;
  }
  const Status written = WriteRandomModel(argv[2], ForLlama(model));
  if (!written.ok()) std::fprintf(stderr, "%s\n", written.ToString().c_str());
  const std::vector<std::byte> own = RandomModelBytes(fixture->model);
  std::printf("%s\n", ChecksumText(Checksum64Of(own)).c_str());
  return written.ok() ? 0 : 1;
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) { return edgemoe::Run(argc, argv); }
