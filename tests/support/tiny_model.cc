// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_model.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr char kChatTemplate[] =
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

std::string Utf8(std::uint32_t code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3f))};
}

// GPT-2's names of bytes: printable ones stand for themselves, the others for U+0100 and on.
std::vector<std::string> ByteTokens() {
  std::vector<std::string> tokens;
  std::uint32_t next = 256;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    tokens.push_back(Utf8(printable ? byte : next++));
  }
  return tokens;
}

bool IsNorm(const std::string& name) { return name.find("norm") != std::string::npos; }

// Rows of about unit length, so that activations neither vanish nor grow; norms near 1.
void FillRow(const TinyTensor& tensor, Random& random, std::vector<float>* row) {
  const bool norm = IsNorm(tensor.name);
  const bool embedding = tensor.name == "token_embd.weight";
  const bool router = tensor.name.find("ffn_gate_inp") != std::string::npos;
  const double reach =
      embedding ? 1.0 : (router ? 4.0 : 1.7) / std::sqrt(static_cast<double>(tensor.dims[0]));
  for (float& x : *row) {
    const double unit = 2.0 * random.NextUnit() - 1.0;
    x = static_cast<float>(norm ? 1.0 + 0.1 * unit : reach * unit);
  }
}

}  // namespace

std::vector<TinyTensor> TinyModelTensors(const TinyModelOptions& o) {
  const std::uint64_t q_size = std::uint64_t{o.head_count} * o.head_size;
  const std::uint64_t kv_size = std::uint64_t{o.kv_head_count} * o.head_size;
  const TensorType f32 = TensorType::kF32;
  std::vector<TinyTensor> tensors = {
      {"token_embd.weight", o.dense_type, {o.width, kTinyVocabularySize}},
      {"output_norm.weight", f32, {o.width}}};
  if (!o.tied_output) {
    tensors.push_back({"output.weight", o.dense_type, {o.width, kTinyVocabularySize}});
  }
  for (std::uint32_t layer = 0; layer < o.layer_count; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    const std::vector<TinyTensor> of_layer = {
        {blk + "attn_norm.weight", f32, {o.width}},
        {blk + "attn_q.weight", o.dense_type, {o.width, q_size}},
        {blk + "attn_k.weight", o.dense_type, {o.width, kv_size}},
        {blk + "attn_v.weight", o.dense_type, {o.width, kv_size}},
        {blk + "attn_q_norm.weight", f32, {o.head_size}},
        {blk + "attn_k_norm.weight", f32, {o.head_size}},
        {blk + "attn_output.weight", o.dense_type, {q_size, o.width}},
        {blk + "ffn_norm.weight", f32, {o.width}},
        {blk + "ffn_gate_inp.weight", f32, {o.width, o.expert_count}},
        {blk + "ffn_gate_exps.weight", o.gate_type, {o.width, o.expert_width, o.expert_count}},
        {blk + "ffn_up_exps.weight", o.up_type, {o.width, o.expert_width, o.expert_count}},
        {blk + "ffn_down_exps.weight", o.down_type, {o.expert_width, o.width, o.expert_count}},
    };
    tensors.insert(tensors.end(), of_layer.begin(), of_layer.end());
  }
  return tensors;
}

Status SetTinyModelMetadata(const TinyModelOptions& o, GgufWriter* writer) {
  std::vector<std::string> tokens = ByteTokens();
  std::vector<std::int32_t> types(256, 1);
  for (const char* merged : {"th", "the", "an", "in"}) {
    tokens.emplace_back(merged);
    types.push_back(1);
  }
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    tokens.emplace_back(special);
    types.push_back(3);
  }
  EDGEMOE_CHECK(tokens.size() == kTinyVocabularySize, "the constants follow the list");

  const std::string p = "qwen3moe.";
  std::vector<GgufEntry> entries = {
      {"general.architecture", std::string("qwen3moe")},
      {"general.name", std::string("tiny")},
      {p + "block_count", o.layer_count},
      {p + "context_length", o.context_length},
      {p + "embedding_length", o.width},
      {p + "feed_forward_length", o.expert_width},
      {p + "attention.head_count", o.head_count},
      {p + "attention.head_count_kv", o.kv_head_count},
      {p + "attention.key_length", o.head_size},
      {p + "attention.value_length", o.head_size},
      {p + "attention.layer_norm_rms_epsilon", 1e-6F},
      {p + "rope.freq_base", 10000.0F},
      {p + "expert_count", o.expert_count},
      {p + "expert_used_count", o.expert_used_count},
      {p + "expert_feed_forward_length", o.expert_width},
      {"tokenizer.ggml.model", std::string("gpt2")},
      {"tokenizer.ggml.pre", std::string("qwen2")},
      {"tokenizer.ggml.tokens", GgufArray::OfStrings(tokens)},
      {"tokenizer.ggml.token_type", GgufArray::OfInt32(types)},
      {"tokenizer.ggml.merges", GgufArray::OfStrings({"t h", "th e", "a n", "i n"})},
      {"tokenizer.ggml.bos_token_id", std::uint32_t{kTinyEndOfText}},
      {"tokenizer.ggml.eos_token_id", std::uint32_t{kTinyImEnd}},
      {"tokenizer.ggml.add_bos_token", false},
  };
  if (o.chat_template) entries.push_back({"tokenizer.chat_template", std::string(kChatTemplate)});
  for (GgufEntry& entry : entries) {
    EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, std::move(entry.value)));
  }
  return OkStatus();
}

std::vector<std::byte> TinyModelBytes(const TinyModelOptions& options) {
  GgufWriter writer;
  EDGEMOE_CHECK(SetTinyModelMetadata(options, &writer).ok(), "metadata of the tiny model");
  const std::vector<TinyTensor> tensors = TinyModelTensors(options);
  for (const TinyTensor& tensor : tensors) {
    EDGEMOE_CHECK(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok(),
                  "widths are whole numbers of blocks");
  }
  const GgufHeader header = writer.Build();
  std::vector<std::byte> bytes(header.file_bytes);
  std::memcpy(bytes.data(), header.bytes.data(), header.bytes.size());

  Random random(options.seed);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const GgufTensor& placed = header.tensors[i];
    const std::uint64_t row_bytes = placed.bytes / placed.rows();
    std::vector<float> row(placed.columns());
    for (std::uint64_t r = 0; r < placed.rows(); ++r) {
      FillRow(tensors[i], random, &row);
      QuantizeRow(placed.type, row.data(), row.size(), &bytes[placed.offset + r * row_bytes]);
    }
  }
  return bytes;
}

Status WriteTinyModel(const std::string& path, const TinyModelOptions& options) {
  const std::vector<std::byte> bytes = TinyModelBytes(options);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file ? OkStatus() : InternalError("tiny model: cannot write " + path);
}

}  // namespace edgemoe
