// SPDX-License-Identifier: Apache-2.0
#include "download/model_sources.h"

#include <algorithm>
#include <utility>

#include "download/hub/hub_listing.h"
#include "download/hub/model_reference.h"

namespace edgemoe {
namespace {

// "hf.co/ORG/REPO:Q4_K_M" where that says enough, else the file's address at the hub.
std::string PullNameOf(const HubModel& model, const HubRepository& repository,
                       const ModelReference& reference, const Hub& hub) {
  const auto same = std::ranges::count(repository.models, model.quant, &HubModel::quant);
  if (!model.quant.empty() && same == 1 && reference.revision == ModelReference().revision)
    return "hf.co/" + reference.repository + ":" + model.quant;
  return hub.origin + "/" + reference.repository + "/blob/" + reference.revision + "/" +
         model.files.front().path;
}

Result<ModelSource> ToSource(const HubModel& model, const HubRepository& repository,
                             const ModelReference& reference, const Hub& hub) {
  ModelSource source{.repository = reference.repository,
                     .quant = model.quant,
                     .pull_name = PullNameOf(model, repository, reference, hub),
                     .bytes = model.bytes};
  for (const HubFile& file : model.files) {
    EDGEMOE_ASSIGN_OR_FAIL(std::string name, FileNameOf(file.path));
    source.files.push_back(
        {.url = HubFileUrl(hub, reference.repository, repository.commit, file.path),
         .name = std::move(name),
         .sha256 = file.sha256,
         .bytes = file.bytes});
  }
  source.problem = CheckWhole(model);
  return source;
}

Result<ModelSource> FindAtUrl(HttpClient& client, const RetryOptions& retry,
                              const ModelReference& reference) {
  const std::size_t query = std::min(reference.url.find('?'), reference.url.size());
  const std::vector<std::string> urls = PartPaths(reference.url.substr(0, query));
  if (urls.size() > 1 && !reference.sha256.empty())
    return Failure(
        InvalidFieldError("model", "#sha256= is the sum of one file, and this model has " +
                                       std::to_string(urls.size()) + " parts"));
  ModelSource source{.pull_name = reference.url};
  for (const std::string& url : urls) {
    TransferFile file{.url = url + reference.url.substr(query), .name = {}};
    file.sha256 = reference.sha256;
    EDGEMOE_ASSIGN_OR_FAIL(file.name, FileNameOf(url));
    EDGEMOE_ASSIGN_OR_FAIL(const HttpHead head, Probe(client, file.url, retry));
    file.bytes = head.total_bytes;
    file.validator = head.validator;
    source.bytes += file.bytes.value_or(0);
    source.files.push_back(std::move(file));
  }
  source.quant = QuantOfName(source.files.front().name);
  return source;
}

}  // namespace

Result<ModelSource> FindModel(HttpClient& client, const Hub& hub, const RetryOptions& retry,
                              const std::string& name) {
  EDGEMOE_ASSIGN_OR_FAIL(const ModelReference reference, ParseModelReference(name, hub.origin));
  if (reference.repository.empty()) return FindAtUrl(client, retry, reference);
  EDGEMOE_ASSIGN_OR_FAIL(const HubRepository repository,
                         ListRepository(client, hub, reference, retry));
  EDGEMOE_ASSIGN_OR_FAIL(const HubModel model, ChooseModel(repository.models, reference));
  return ToSource(model, repository, reference, hub);
}

Result<std::vector<ModelSource>> FindModels(HttpClient& client, const Hub& hub,
                                            const RetryOptions& retry, const std::string& name) {
  std::vector<ModelSource> sources;
  EDGEMOE_ASSIGN_OR_FAIL(const ModelReference reference, ParseModelReference(name, hub.origin));
  const bool is_one =
      reference.repository.empty() || !reference.path.empty() || !reference.quant.empty();
  if (is_one) {
    EDGEMOE_ASSIGN_OR_FAIL(ModelSource source, FindModel(client, hub, retry, name));
    sources.push_back(std::move(source));
    return sources;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const HubRepository repository,
                         ListRepository(client, hub, reference, retry));
  if (repository.models.empty()) return Failure(ChooseModel(repository.models, reference).error());
  for (const HubModel& model : repository.models) {
    EDGEMOE_ASSIGN_OR_FAIL(ModelSource source, ToSource(model, repository, reference, hub));
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace edgemoe
