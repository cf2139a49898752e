// SPDX-License-Identifier: Apache-2.0
//
// The facade: one model, loaded under a memory budget, serving requests. With base/ it is all that
// server/ and bench/ may include.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/model/sampler.h"
#include "engine/pack/pack_request.h"
#include "engine/scheduler/request.h"
#include "engine/stream/read_ahead_stats.h"

namespace edgemoe {

// ---- Opening ----

struct EngineOptions {
  std::string model_path;  // a GGUF file; the first part of a split one
  std::string
      model_name;  // what requests call it; empty: the file's name without ".gguf" and part number
  std::uint64_t memory_budget_bytes = 0;  // dense + KV + workspace + experts; 0: 3/4 of usable
                                          // memory, at most what the whole model needs
  std::uint64_t expert_budget_bytes = 0;  // 0: what the memory budget leaves; else at most that
  std::uint32_t context_tokens =
      4096;  // longest sequence, prompt and answer; at most the model's own context
  std::uint32_t sessions_max = 4;           // requests that run at once, [1, 64]
  std::uint32_t queue_max = 64;             // requests that wait, [0, 4096]
  std::uint32_t prefill_chunk_tokens = 64;  // prompt tokens a step, [1, 512]
  std::uint32_t threads = 0;        // computing threads; 0: one for each core allowed, at most 64
  std::string io_backend = "auto";  // "auto", "io_uring", "pread"
  std::uint32_t io_depth = 0;       // reads in flight, [1, 1024]; 0: as the storage likes it
  std::string kernels = "auto";     // "auto", "ref", "avx2", "avx512", "neon"
  // Which resident expert gives way: "lfru", "lru", "lfu", "edgemoe".
  std::string eviction_policy = "lfru";
  // Where guesses of the next layer's experts come from: "router", "path", "none".
  std::string predictor = "router";
  std::uint32_t stall_timeout_ms =
      60000;  // a stream whose reader takes nothing for so long is ended
  // Seconds without a request after which the experts' memory shrinks to its least, until the next
  // request; 0: never.
  std::uint32_t idle_shrink_after_s = 0;
  // Where the next run finds which experts were worth keeping and what the predictor has learnt;
  // empty: nowhere.
  std::string state_directory;
  LogSink log;

  // Faults for tests, empty in production; several are separated by ';':
  // "eio:after=N" fails one read after N good ones, "eio:after=N,count=M" M of them;
  // "eio:layer=L,expert=E" each read of that expert; "short:every=N" cuts every Nth read on
  // average in two, which succeeds; "slow:ms=N" adds N milliseconds to each.
  std::string io_faults;

  // For measurements; production leaves them alone.
  //
  // How experts come into memory: "edgemoe"; or as the baselines do: "resident" (all read at load,
  // needs room for all), "on-demand" (each that the router names, each time), "layer-stream" (whole
  // layers in order into two buffers, whatever the router names), "mmap" (the page cache).
  std::string mode = "edgemoe";
  // Slower storage than there is: "real" (as it is), "nvme", "pi5-nvme", "sata", "sd"; see
  // engine/engine_modes.h. Its bandwidth is multiplied by the scale, in (0, 1000].
  std::string storage_profile = "real";
  double storage_scale = 1;
};

// Who gets which part of the budget. Made without loading anything.
struct MemoryPlan {
  std::uint64_t model_file_bytes = 0;
  std::uint64_t usable_bytes = 0;  // physical memory or the smallest cgroup limit among ancestors
  std::uint64_t budget_bytes = 0;
  std::uint64_t dense_bytes = 0;
  std::uint64_t kv_bytes = 0;
  std::uint64_t workspace_bytes = 0;
  std::uint64_t expert_bytes = 0;           // what is left for the slab
  std::uint64_t expert_total_bytes = 0;     // a slab that holds every expert
  std::uint64_t expert_floor_bytes = 0;     // least slab that works: one token's demand
  std::uint64_t budget_floor_bytes = 0;     // least budget that works with these options
  std::uint64_t budget_resident_bytes = 0;  // budget at which nothing is read twice
  bool fits = false;
  std::string
      explanation;  // one sentence for people; says the least that works when it does not fit
};

struct ModelDescription {
  std::string name;
  std::string path;
  std::string architecture;
  std::string quantisation;  // the type that most expert bytes have, as in "Q4_K"
  std::uint64_t file_bytes = 0;
  std::uint64_t parameter_count = 0;
  std::uint32_t layer_count = 0;
  std::uint32_t expert_count = 0;
  std::uint32_t expert_used_count = 0;
  std::uint32_t vocabulary_size = 0;
  std::uint32_t context_length = 0;  // the model's own
  std::uint32_t context_tokens = 0;  // allowed here; 0 when not loaded
  bool has_chat_template = false;
};

// Reads the header of a model. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED name
// file, key or tensor.
Result<ModelDescription> DescribeModel(const std::string& path);

// Reads the header only. A budget that does not fit is not an error here: see `fits`.
Result<MemoryPlan> PlanMemory(const EngineOptions& options);

// ---- Packs (what is asked, told and reported: engine/pack/pack_request.h) ----

// "dir/Qwen3-00001-of-00002.gguf" -> "dir/Qwen3-pack.gguf".
std::string DefaultPackPath(const std::string& source_path);

// What WritePack will need. Reads the header of the source, and only for methods that measure it.
// INVALID_ARGUMENT: an option, as WritePack; the source, as DescribeModel.
Result<PackMemory> PlanPack(const PackOptions& options);

// Writes a pack: the weights of a model laid out so that an expert is one aligned record with a
// checksum; the same weights, bit for bit, or with each tensor in a type that was chosen for it.
// Any GGUF reader reads it. Memory does not grow with the model, but for `memory_bytes`.
//
// OUTPUT.partial and other files with names that begin so stand beside the output until it is
// whole; a job that ended early goes on from there when it is started again, and writes the same
// bytes. Of a pack whose types were chosen, the report is kept beside it: OUTPUT without ".gguf",
// with ".report.json". Any thread; two jobs for one output exclude each other, also across
// processes.
//
// INVALID_ARGUMENT names an option as models.proto does, what was found and what is accepted; or
// the output is the source, or the source is a pack, or as DescribeModel. OUT_OF_RANGE: no choice
// of types meets the target; names what can be had. ALREADY_EXISTS: the output, unless `overwrite`.
// FAILED_PRECONDITION: another job writes the output, or the source changed meanwhile.
// RESOURCE_EXHAUSTED: no room on the disk; names path, needed and free bytes; or too little
// `memory_bytes`. CANCELLED. DATA_LOSS: a disk failed.
Result<PackReport> WritePack(const PackOptions& options);

// ---- Quality ----

// How far models' output is from a reference's on the same text, as llama-perplexity measures it.
struct QualityOptions {
  std::vector<std::string> model_paths{};
  std::string reference_path{};        // with the same vocabulary; empty: perplexity alone
  std::string text_path{};             // UTF-8
  std::uint32_t context_tokens = 512;  // of a window; the second half of each is scored
  std::size_t windows_max = 0;         // from the beginning of the text; 0: all
  std::uint64_t memory_bytes = 0;      // of one model; 0: 3/4 of usable memory
  std::uint32_t threads = 0;           // as EngineOptions
  std::string io_backend = "auto";     // as EngineOptions
  std::string kernels = "auto";        // as EngineOptions
  std::string scratch_directory{};     // for the reference's probabilities, 2 bytes for each
                                       // position and token; empty: the system's
  const std::atomic<bool>* cancelled = nullptr;  // looked at before each layer
  // Positions of a model done and to do, after each window; on the calling thread.
  std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)> progress{};
};

struct QualityReport {
  // From the reference's distribution to the model's, in nats.
  struct Divergence {
    double mean_kl = 0;
    double kl_p50 = 0;
    double kl_p99 = 0;
    double kl_max = 0;
    double reference_perplexity = 0;
    double same_top_fraction = 0;  // of positions where both find the same token most likely
  };
  ModelDescription model;
  std::uint64_t windows = 0;
  std::uint64_t tokens = 0;  // scored positions
  double perplexity = 0;
  std::optional<Divergence> divergence;  // with a reference
  std::uint64_t memory_bytes = 0;        // of the model, as planned
  std::uint64_t expert_bytes_read = 0;   // of the model
  std::uint64_t elapsed_ns = 0;          // in the model's windows
};

// For each model; one is in memory at a time, and the reference is run once. INVALID_ARGUMENT: no
// model; a text that is no UTF-8 or shorter than one window, or a reference that
// tokenises it in another way; the options. RESOURCE_EXHAUSTED with the least memory that works, or
// without room for the scratch file. CANCELLED. DATA_LOSS: an expert cannot be read. Others as
// DescribeModel. Any thread.
Result<std::vector<QualityReport>> MeasureQuality(const QualityOptions& options);

// ---- Requests (StopParameters and events: engine/scheduler/request.h) ----

struct GenerateRequest {
  std::variant<std::string, std::vector<TokenId>>
      prompt;  // text is tokenised with add_special, parse_special
  SamplingParameters sampling;
  StopParameters stop;
  int top_logprob_count = -1;  // -1: no log-probabilities; up to kTopLogprobsMax
};

// Log-probabilities of a given text, teacher-forced: the first token has none.
struct ScoreRequest {
  std::variant<std::string, std::vector<TokenId>> text;
  std::uint32_t top_logprob_count = 0;
};

struct TokenPiece {
  TokenId token;
  std::string bytes;             // as the vocabulary holds it; may be part of a character
  std::uint32_t byte_begin = 0;  // in the text given
  std::uint32_t byte_end = 0;
};

struct TokenizeOptions {
  bool add_special = true;    // the model's own begin-of-sequence, where it wants one
  bool parse_special = true;  // "<|im_start|>" in the text is the token of that name
};

struct ChatMessage {
  std::string role;     // "system", "user", "assistant", "tool"
  std::string content;  // UTF-8
};

struct ChatTemplateOptions {
  bool add_generation_prompt = true;
  std::vector<std::pair<std::string, std::string>>
      variables;  // name to JSON value, as in enable_thinking: false
};

// ---- Observing ----

struct EngineStats {
  std::uint64_t uptime_ns = 0;
  std::uint32_t sessions_running = 0;
  std::uint32_t sessions_queued = 0;
  std::uint64_t requests_finished = 0;  // whatever the reason
  std::uint64_t requests_failed = 0;    // of these, with kError
  std::uint64_t requests_refused = 0;   // at admission
  std::uint64_t prompt_tokens = 0;      // run
  std::uint64_t completion_tokens = 0;  // sampled
  std::uint64_t steps = 0;
  std::uint64_t expert_uses = 0;
  std::uint64_t expert_hits = 0;
  std::uint64_t expert_evictions = 0;
  std::uint64_t expert_bytes_read = 0;
  std::uint64_t expert_read_errors = 0;
  std::uint64_t storage_wait_ns = 0;
  std::uint64_t storage_wait_bytes = 0;     // that arrived during storage_wait_meter_ns: how fast
  std::uint64_t storage_wait_meter_ns = 0;  // storage was while the engine only waited for it
  std::uint64_t storage_model_bytes_per_second = 0;  // of storage_profile; 0: real storage
  std::uint64_t compute_ns = 0;                      // time in steps less waiting for storage
  ReadAheadStats read_ahead;
  std::uint64_t experts_resident = 0;
  std::uint64_t experts_total = 0;
  std::uint64_t expert_resident_bytes = 0;
  std::uint64_t kv_blocks_used = 0;
  std::uint64_t kv_blocks_total = 0;
  std::uint64_t expert_slab_bytes = 0;  // memory.expert_bytes, or less while idle
  MemoryPlan memory;                    // as after the last Resize
  std::string io_backend;               // the one in use
  std::string
      io_note;  // why not the preferred one, and whether O_DIRECT and fixed buffers are in force
  std::string kernels;  // the table in use
  std::string eviction_policy;
  std::string predictor;
  std::uint32_t threads = 0;
};

// ---- Storage ----

struct ProbeOptions {
  std::string path;             // a file on the storage, of at least 64 KiB: it is read at random
  std::string state_directory;  // where results are kept; empty: nowhere
  bool fresh = false;           // measure also when a result is kept
  std::string io_backend = "auto";
};

struct ProbeReport {
  struct Point {
    std::uint32_t read_bytes = 0;
    std::uint32_t depth = 0;
    double bytes_per_second = 0;
  };
  std::string device;       // "259:1": major and minor number
  std::string file_system;  // "ext4"
  std::string io_backend;   // the one that was measured
  bool direct = false;      // the reads went around the page cache
  bool kept = false;        // of an earlier probe
  std::vector<Point> points;
  double bytes_per_second = 0;      // the best of them
  std::uint64_t small_read_ns = 0;  // one read of 4 KiB alone
  // Chosen: the fewest bytes in flight that reach 95 % of the best.
  std::uint32_t read_bytes = 0;
  std::uint32_t depth = 0;
  std::uint64_t in_flight_bytes_max = 0;
  std::string
      note;  // why the figures may not be the device's, or were not kept; empty: all is well
};

// Measures how fast the storage under a file is and how it likes to be read, in about a second; or
// gives what an earlier probe of it found. Errors name the path.
Result<ProbeReport> ProbeStorage(const ProbeOptions& options);

// ---- Routing traces ----

// Runs a recorded trace (the columns of engine/trace/trace_format.h) through caches of some sizes,
// without a model: each policy with each predictor and budget.
struct ReplayOptions {
  std::string trace_path;
  std::vector<std::string>
      policies;  // "lru", "lfu", "lfru", "edgemoe", "edgemoe-printed", "belady"
  std::vector<std::string> predictors;       // "none", "path", "previous-token"; empty: "none"
  std::vector<std::uint64_t> budgets_bytes;  // of the whole cache; at most 64 of each
};

// What one cache did. Uses are distinct experts of a layer in a batch. Prefetches take no time
// here: all that the predictor names for the next layer, as many as the router will, is read at
// once.
struct ReplayRow {
  std::string policy;
  std::string predictor;
  std::uint64_t budget_bytes = 0;

  std::uint64_t prefill_uses = 0;
  std::uint64_t prefill_hits = 0;
  std::uint64_t decode_tokens = 0;
  std::uint64_t decode_uses = 0;
  std::uint64_t decode_hits = 0;            // found in memory
  std::uint64_t decode_prefetch_hits = 0;   // of these, put there by a prefetch and not used before
  std::uint64_t decode_demand_bytes = 0;    // read when the router asked
  std::uint64_t prefetch_bytes = 0;         // read ahead, in decoding
  std::uint64_t prefetch_wasted_bytes = 0;  // of these, evicted or left unused

  // Of the experts that routers chose in decoding after a guess was made, how many were among its
  // first k and first 2k, where k is how many the router chose.
  std::uint64_t guess_uses = 0;
  std::uint64_t guessed_at_k = 0;
  std::uint64_t guessed_at_2k = 0;
};

// In the order of the options: policies, in each predictors, in each budgets. INVALID_ARGUMENT
// names line, column and value of the trace, or the option and the names that are accepted;
// NOT_FOUND and PERMISSION_DENIED name the file; RESOURCE_EXHAUSTED: a trace of more than 32 Mi
// rows.
Result<std::vector<ReplayRow>> ReplayTrace(const ReplayOptions& options);

// A recording of what the routers of a live engine choose, as ReplayTrace reads it.
class RoutingRecording {
 public:
  // Ends it, after the step that runs. To be destroyed before the engine.
  virtual ~RoutingRecording() = default;
  // What the file begins with.
  virtual const std::string& header() const = 0;
  // The lines of the steps that ended since the last call; may be empty. One thread.
  virtual std::string Take() = 0;
  // No further step is recorded; what was not taken yet can be. Waits for the step that runs.
  virtual void Stop() = 0;
  virtual std::uint64_t steps_recorded() const = 0;
  virtual std::uint64_t steps_dropped() const = 0;  // as Take came too late
};

// Thread-safe but for the destructor, which must be the last call. The engine's own thread runs the
// step loop.
class Engine {
 public:
  // Loads the model; `progress` is told bytes loaded and to load, on the calling thread.
  // RESOURCE_EXHAUSTED with the least budget that works; other codes as DescribeModel's.
  using OpenProgress = std::function<void(std::uint64_t bytes_loaded, std::uint64_t bytes_total)>;
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, OpenProgress progress = {});

  // Cancels what is left (see Drain) and joins the engine's thread.
  virtual ~Engine() = default;

  virtual const ModelDescription& model() const = 0;

  // Takes a request into the bounded queue. Never waits for the model.
  // INVALID_ARGUMENT names the field as in proto/edgemoe/v1 ("stopping.sequences[2]");
  // RESOURCE_EXHAUSTED: queue full; UNAVAILABLE: draining. On an error the sink is destroyed
  // uncalled. A prompt that is empty, or longer than the context, is INVALID_ARGUMENT; so is a text
  // to score of less than two tokens.
  virtual Result<RequestId> Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) = 0;
  virtual Result<RequestId> Score(ScoreRequest request, std::unique_ptr<EventSink> sink) = 0;

  // Ends a request with kCancelled within one layer. NOT_FOUND when it is not queued or running.
  virtual Status Abort(RequestId request) = 0;

  // A sink that could not take more can again. Cheap; any thread.
  virtual void Wake() = 0;

  // INVALID_ARGUMENT for text that is not UTF-8, naming the byte offset.
  virtual Result<std::vector<TokenPiece>> Tokenize(std::string_view text,
                                                   const TokenizeOptions& options) const = 0;
  // OUT_OF_RANGE names the id and the vocabulary's size. Bytes that are not UTF-8 become U+FFFD.
  virtual Result<std::string> Detokenize(std::span<const TokenId> tokens,
                                         bool render_special) const = 0;
  // FAILED_PRECONDITION when the file has no chat template.
  virtual Result<std::string> ApplyTemplate(std::span<const ChatMessage> messages,
                                            const ChatTemplateOptions& options) const = 0;

  virtual EngineStats GetStats() const = 0;

  // Another budget for everything, while sessions go on: experts give way, or get more room. Waits
  // for the step that runs. Gives the new plan. RESOURCE_EXHAUSTED with the least that works, or
  // above what is usable here, or when the kernel has no memory; nothing has changed then.
  // FAILED_PRECONDITION in a mode of measurements; UNAVAILABLE when the engine ends.
  virtual Result<MemoryPlan> Resize(std::uint64_t budget_bytes) = 0;

  // Records from the next step on. FAILED_PRECONDITION while there is another recording, or in a
  // mode without a cache; UNAVAILABLE when the engine ends.
  virtual Result<std::unique_ptr<RoutingRecording>> RecordRouting() = 0;

  // Refuses new requests from now on and waits until the others have finished, or until
  // `timeout_ms`, after which they are cancelled. Returns true when all finished by themselves.
  virtual bool Drain(std::uint32_t timeout_ms) = 0;
};

}  // namespace edgemoe
