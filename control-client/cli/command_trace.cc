// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <unordered_map>

#include "absl/strings/str_format.h"
#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/flow_cells.h"
#include "control-client/cli/human_units.h"
#include "control-client/cli/interrupt_watch.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/printable.h"

namespace kith {
namespace {

struct TraceOptions : ClientOptions {
  uint32_t pid = 0;
  std::string identity;
};

// TraceText writes events for a person: one line each, with the time since the
// flow's previous step and since its connect.
class TraceText {
 public:
  explicit TraceText(CommandEnvironment &environment)
      : environment_(environment) {}

  void Print(const Json &event) {
    if (const uint64_t lost = CountAt(event, "/lost"); lost != 0) {
      environment_.out << Styled(absl::StrFormat("%d events lost", lost),
                                 Style::kWarning,
                                 environment_.colour)
                       << '\n';
      return;
    }
    const Json &flow = ListAt(event, "/flow");
    const std::string step = TextAt(event, "/step");
    const auto total =
        static_cast<int64_t>(CountAt(event, "/sinceStartMicros"));
    const int64_t took = Took(TextAt(flow, "/id"), step, total);
    const std::string line =
        absl::StrFormat("%s  #%-5s %-3s  %-18s  %-10s %11s %12s",
                        ClockOf(TextAt(event, "/at")),
                        TextAt(flow, "/id"),
                        ShortDirection(flow),
                        ProcessLabel(flow),
                        step,
                        absl::StrFormat("+%d us", took),
                        HumanMicros(total));
    environment_.out << Printable(line) << "  " << Outcome(event, flow, step)
                     << '\n'
                     << std::flush;
  }

 private:
  // Flows whose last step is remembered; a trace has no time limit, and a flow
  // whose close event was lost would stay.
  static constexpr size_t kMaxFlows = 65'536;

  int64_t Took(const std::string &id, const std::string &step, int64_t total) {
    if (last_step_.size() >= kMaxFlows) {
      last_step_.clear();
    }
    int64_t &last = last_step_[id];
    const int64_t took = total - last;
    last = total;
    if (step == "close") {
      last_step_.erase(id);
    }
    return took;
  }

  // ClockOf cuts "20:34:02.125" out of an RFC 3339 time.
  static std::string ClockOf(const std::string &at) {
    return at.size() == 24 ? at.substr(11, 12) : at;
  }

  std::string Outcome(const Json &event,
                      const Json &flow,
                      const std::string &step) const {
    const std::string detail = Printable(TextAt(event, "/detail"));
    return step == "close"
               ? Styled(detail, ReasonCell(flow).style, environment_.colour)
               : detail;
  }

  CommandEnvironment &environment_;
  std::unordered_map<std::string, int64_t> last_step_;  // flow id -> micros
};

AdminClient::Parameters Filter(const TraceOptions &options) {
  AdminClient::Parameters parameters;
  if (options.pid != 0) {
    parameters.emplace("pid", std::to_string(options.pid));
  }
  if (!options.identity.empty()) {
    parameters.emplace("identity", options.identity);
  }
  return parameters;
}

int RunTrace(const TraceOptions &options, CommandEnvironment &environment) {
  const std::unique_ptr<AdminClient> client =
      AdminClient::Create(options.socket);
  TraceText text(environment);
  const auto on_line = [&](std::string_view line) {
    if (options.json) {
      environment.out << line << '\n' << std::flush;
    } else if (const Json event = ParseJson(std::string(line));
               event.is_object()) {
      text.Print(event);
    }
    return environment.out.good();  // `kith trace | head` ends quietly
  };
  const InterruptWatch interrupt([&client] { client->Cancel(); });
  const absl::Status status =
      client->Stream("/v1/trace", Filter(options), on_line);
  return status.ok() ? kExitOk : ReportError(environment, status);
}

}  // namespace

RunCommand AttachTrace(CommandParser &parser) {
  auto options = std::make_shared<TraceOptions>();
  AddSocketOption(parser, *options);
  AddJsonOption(parser, options->json, "print one JSON object a line");
  parser.AddOption("--pid",
                   options->pid,
                   "flows of this process only",
                   {.value_name = "N", .range = NumberRange::kPositive});
  parser.AddOption("--identity",
                   options->identity,
                   "flows with this SPIFFE ID on either side only",
                   {.value_name = "ID"});
  return [options](CommandEnvironment &environment) {
    return RunTrace(*options, environment);
  };
}

}  // namespace kith
