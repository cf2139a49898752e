// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/descriptions.h"

#include <algorithm>

#include "engine/base/clock.h"
#include "engine/probe.h"

namespace edgemoe {
namespace {

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void FillReadAhead(const EngineStats& stats, v1::GetStatsResponse::ReadAhead& out) {
  const ReadAheadStats& ahead = stats.read_ahead;
  out.set_predictor(stats.predictor);
  out.set_on(ahead.on);
  out.set_wanted(ahead.wanted);
  out.set_recall_at_k(Share(ahead.guessed_at_k, ahead.wanted));
  out.set_recall_at_2k(Share(ahead.guessed_at_2k, ahead.wanted));
  out.set_used_experts(ahead.used_experts);
  out.set_used_bytes(ahead.used_bytes);
  out.set_wasted_experts(ahead.wasted_experts);
  out.set_wasted_bytes(ahead.wasted_bytes);
  out.set_saved_seconds(SecondsOfNs(ahead.saved_ns));
  out.set_trials(ahead.trials);
}

void FillExperts(const EngineStats& stats, v1::GetStatsResponse::Experts& experts) {
  experts.set_uses(stats.expert_uses);
  experts.set_hits(stats.expert_hits);
  if (stats.expert_uses > 0)
    experts.set_hit_rate(static_cast<double>(stats.expert_hits) /
                         static_cast<double>(stats.expert_uses));
  experts.set_evictions(stats.expert_evictions);
  experts.set_bytes_read(stats.expert_bytes_read);
  experts.set_read_errors(stats.expert_read_errors);
  experts.set_storage_wait_seconds(SecondsOfNs(stats.storage_wait_ns));
  experts.set_resident(stats.experts_resident);
  experts.set_total(stats.experts_total);
  experts.set_resident_bytes(stats.expert_resident_bytes);
  experts.set_slab_bytes(stats.expert_slab_bytes);
}

v1::SettingSource ToApi(SettingSource source) {
  switch (source) {
    case SettingSource::kBuiltIn: return v1::SETTING_SOURCE_BUILT_IN;
    case SettingSource::kFile: return v1::SETTING_SOURCE_FILE;
    case SettingSource::kConfiguration: return v1::SETTING_SOURCE_CONFIGURATION;
  }
  return v1::SETTING_SOURCE_UNSPECIFIED;
}

}  // namespace

v1::Model ToApi(const ModelDescription& description, v1::ModelState state) {
  v1::Model model;
  model.set_name(description.name);
  model.set_state(state);
  model.set_path(description.path);
  model.set_architecture(description.architecture);
  model.set_quantisation(description.quantisation);
  model.set_file_bytes(description.file_bytes);
  model.set_parameter_count(description.parameter_count);
  model.set_layer_count(description.layer_count);
  model.set_expert_count(description.expert_count);
  model.set_expert_used_count(description.expert_used_count);
  model.set_vocabulary_size(description.vocabulary_size);
  model.set_context_length(description.context_length);
  model.set_context_tokens(description.context_tokens);
  model.set_has_chat_template(description.has_chat_template);
  for (const std::string& input : description.unused_inputs) model.add_unused_inputs(input);
  for (const ModelSetting& setting : description.settings) {
    v1::ModelSetting& message = *model.add_settings();
    message.set_name(setting.option);
    message.set_json(setting.json);
    message.set_source(ToApi(setting.source));
  }
  return model;
}

v1::MemoryPlan ToApi(const MemoryPlan& plan) {
  v1::MemoryPlan response;
  response.set_fits(plan.fits);
  response.set_explanation(plan.explanation);
  response.set_model_file_bytes(plan.model_file_bytes);
  response.set_usable_bytes(plan.usable_bytes);
  response.set_budget_bytes(plan.budget_bytes);
  response.set_dense_bytes(plan.dense_bytes);
  response.set_kv_bytes(plan.state_bytes);
  response.set_workspace_bytes(plan.workspace_bytes);
  response.set_expert_bytes(plan.expert_bytes);
  response.set_expert_total_bytes(plan.expert_total_bytes);
  response.set_expert_floor_bytes(plan.expert_floor_bytes);
  response.set_budget_floor_bytes(plan.budget_floor_bytes);
  response.set_budget_resident_bytes(plan.budget_resident_bytes);
  return response;
}

v1::ExpectedSpeed ToApi(const ExpectedSpeed& expected) {
  v1::ExpectedSpeed response;
  response.set_tokens_per_second(expected.tokens_per_second);
  response.set_low_tokens_per_second(expected.low);
  response.set_high_tokens_per_second(expected.high);
  response.set_bound(expected.bound == SpeedBound::kStorage ? v1::SPEED_BOUND_STORAGE
                                                            : v1::SPEED_BOUND_COMPUTE);
  response.set_hit_rate(expected.hit_rate);
  response.set_read_bytes_per_token(expected.read_bytes_per_token);
  response.set_compute_seconds(expected.compute_seconds);
  response.set_storage_seconds(expected.storage_seconds);
  response.set_storage_bytes_per_second(expected.storage_bytes_per_second);
  response.set_earlier_count(expected.earlier_count);
  return response;
}

v1::ProbeResponse ToApi(const ProbeReport& report) {
  v1::ProbeResponse response;
  response.set_device(report.device);
  response.set_file_system(report.file_system);
  response.set_io_backend(report.io_backend);
  response.set_direct(report.direct);
  response.set_kept(report.kept);
  for (const ProbeReport::Point& measured : report.points) {
    v1::ProbeResponse::Point* point = response.add_points();
    point->set_read_bytes(measured.read_bytes);
    point->set_depth(measured.depth);
    point->set_bytes_per_second(measured.bytes_per_second);
  }
  response.set_bytes_per_second(report.bytes_per_second);
  response.set_small_read_seconds(SecondsOfNs(report.small_read_ns));
  response.set_read_bytes(report.read_bytes);
  response.set_depth(report.depth);
  response.set_in_flight_bytes_max(report.in_flight_bytes_max);
  response.set_note(report.note);
  return response;
}

v1::GetStatsResponse ToApi(const EngineStats& stats, const ProcessMemory& process) {
  v1::GetStatsResponse out;
  out.set_uptime_seconds(SecondsOfNs(stats.uptime_ns));
  out.mutable_requests()->set_running(stats.sessions_running);
  out.mutable_requests()->set_queued(stats.sessions_queued);
  out.mutable_requests()->set_finished(stats.requests_finished);
  out.mutable_requests()->set_failed(stats.requests_failed);
  out.mutable_requests()->set_refused(stats.requests_refused);
  out.mutable_requests()->set_preempted(stats.requests_preempted);
  out.mutable_tokens()->set_prompt(stats.prompt_tokens);
  out.mutable_tokens()->set_completion(stats.completion_tokens);
  out.mutable_tokens()->set_steps(stats.steps);
  out.mutable_tokens()->set_compute_seconds(SecondsOfNs(stats.compute_ns));
  FillExperts(stats, *out.mutable_experts());
  FillReadAhead(stats, *out.mutable_read_ahead());
  out.mutable_kv_cache()->set_blocks_used(stats.state_blocks_used);
  out.mutable_kv_cache()->set_blocks_total(stats.state_blocks_total);
  out.mutable_process()->set_resident_bytes(process.resident_bytes);
  out.mutable_process()->set_peak_resident_bytes(process.peak_resident_bytes);
  *out.mutable_memory() = ToApi(stats.memory);
  out.mutable_machine()->set_io_backend(stats.io_backend);
  out.mutable_machine()->set_io_note(stats.io_note);
  out.mutable_machine()->set_kernels(stats.kernels);
  out.mutable_machine()->set_eviction_policy(stats.eviction_policy);
  out.mutable_machine()->set_threads(stats.threads);
  return out;
}

v1::Request ToApi(const RequestSummary& request, std::uint64_t now_ns) {
  v1::Request out;
  out.set_request_id(request.id);
  out.set_method(request.method);
  out.set_peer(request.peer);
  out.set_state(request.runs ? v1::REQUEST_STATE_RUNNING : v1::REQUEST_STATE_WAITING);
  out.set_model(request.model);
  out.set_age_seconds(SecondsOfNs(now_ns - std::min(now_ns, request.submitted_ns)));
  out.set_prompt_tokens(request.prompt_tokens);
  out.set_completion_tokens(request.completion_tokens);
  return out;
}

}  // namespace edgemoe
