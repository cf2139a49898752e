// SPDX-License-Identifier: Apache-2.0
//
// What llama.cpp computes for prompts: the reference that record_models.py keeps. Linked against
// libllama, which Debian 12 does not have, so no target of this project's build. With the headers
// of Debian sid's libllama-dev and libggml-dev in HEADERS and its libllama0 and libggml0 in LIBS:
//
//   g++ -std=c++20 -O1 -IHEADERS tests/golden/llama_logits.cc -o llama_logits \
//       -LLIBS -l:libllama.so.0 -l:libggml.so.0 -l:libggml-base.so.0 -Wl,--allow-shlib-undefined
//
// usage: llama_logits PROMPTS (f32|f16) (packed|unpacked) < LINES
//   PROMPTS  a line a prompt: its length, its tokens
//   LINES    a line a model: MODEL OUT EXT FAST SLOW, where the last three are llama.cpp's options
//            --yarn-ext-factor, --yarn-beta-fast and --yarn-beta-slow; -1: as the model says
// OUT is float32 [tokens of all prompts, vocabulary]: the logits behind each token. A model that
// llama.cpp refuses gives an empty OUT. `f32` or `f16` is the type of the cache; `packed` lets
// llama.cpp lay weights out anew for its faster kernels. No flash attention, one thread.
#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

using Prompt = std::vector<llama_token>;
using Model = std::unique_ptr<llama_model, decltype(&llama_model_free)>;
using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

constexpr std::uint32_t kContext = 512;

struct Job {
  std::string model;
  std::string out;
  float yarn_ext_factor = -1;
  float yarn_beta_fast = -1;
  float yarn_beta_slow = -1;
};

std::vector<Prompt> ReadPrompts(const char* path) {
  std::ifstream file(path);
  std::vector<Prompt> prompts;
  for (std::size_t length = 0; file >> length;) {
    Prompt prompt(length);
    for (llama_token& token : prompt) file >> token;
    prompts.push_back(prompt);
  }
  return prompts;
}

Context NewContext(llama_model* model, const Job& job, ggml_type cache) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = kContext;
  params.n_batch = kContext;
  params.n_ubatch = kContext;
  params.n_threads = 1;
  params.n_threads_batch = 1;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.type_k = cache;
  params.type_v = cache;
  params.yarn_ext_factor = job.yarn_ext_factor;
  params.yarn_beta_fast = job.yarn_beta_fast;
  params.yarn_beta_slow = job.yarn_beta_slow;
  return {llama_init_from_model(model, params), llama_free};
}

bool RunPrompt(llama_context* context, int vocabulary, const Prompt& prompt, std::ostream& out) {
  llama_memory_clear(llama_get_memory(context), true);
  llama_batch batch = llama_batch_init(static_cast<int>(prompt.size()), 0, 1);
  batch.n_tokens = static_cast<int>(prompt.size());
  for (int i = 0; i < batch.n_tokens; ++i) {
    batch.token[i] = prompt[static_cast<std::size_t>(i)];
    batch.pos[i] = i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  const bool ran = llama_decode(context, batch) == 0;
  for (int i = 0; ran && i < batch.n_tokens; ++i) {
    const float* logits = llama_get_logits_ith(context, i);
    out.write(reinterpret_cast<const char*>(logits),
              static_cast<std::streamsize>(sizeof(float)) * vocabulary);
  }
  llama_batch_free(batch);
  return ran;
}

void RunModel(const Job& job, const std::vector<Prompt>& prompts, ggml_type cache, bool packed,
              std::ostream& out) {
  llama_model_params params = llama_model_default_params();
  params.use_extra_bufts = packed;
  params.n_gpu_layers = 0;
  const Model model(llama_model_load_from_file(job.model.c_str(), params), llama_model_free);
  if (!model) return;
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model.get()));
  for (const Prompt& prompt : prompts) {
    const Context context = NewContext(model.get(), job, cache);
    if (!context || !RunPrompt(context.get(), vocabulary, prompt, out)) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: llama_logits PROMPTS (f32|f16) (packed|unpacked) < LINES\n");
    return 2;
  }
  ggml_backend_load_all();
  llama_backend_init();
  const std::vector<Prompt> prompts = ReadPrompts(argv[1]);
  const ggml_type cache = std::strcmp(argv[2], "f16") == 0 ? GGML_TYPE_F16 : GGML_TYPE_F32;
  const bool packed = std::strcmp(argv[3], "packed") == 0;
  Job job;
  while (std::cin >> job.model >> job.out >> job.yarn_ext_factor >> job.yarn_beta_fast >>
         job.yarn_beta_slow) {
    std::ofstream out(job.out, std::ios::binary);
    RunModel(job, prompts, cache, packed, out);
  }
  return 0;
}
