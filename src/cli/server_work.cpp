#include "cli/server_work.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "base/parallel.h"
#include "cli/options.h"
#include "serve/alarm.h"
#include "serve/grpc_health.h"
#include "serve/grpc_reflection.h"
#include "serve/open_inference_grpc.h"
#include "serve/openapi.h"
#include "serve/server.h"
#include "serve/tei_grpc.h"
#include "tensor/device_energy.h"

namespace suanli::cli {

std::string given_or_none(const Config& config, const char* name) {
  return config.is_given(name) ? config.get_string(name) : "";
}

std::vector<Option> server_options() {
  const serve::Limits limits;
  std::vector<Option> all = {
      {.name = "host", .type = OptionType::text, .default_value = "127.0.0.1", .help = "IP address to listen at"},
      {.name = "port", .type = OptionType::integer, .default_value = "8000", .help = "0: any that is free"},
      {.name = "grpc_port",
       .type = OptionType::integer,
       .help = "for gRPC; else one above --port. 0: any that is free, -1: none"},
      {.name = "metrics_port",
       .type = OptionType::integer,
       .help = "GET /metrics at this port, too: 8002 is Triton's; 0: any that is free. Not given: at --port alone"},
      {.name = "metrics_alias",
       .type = OptionType::text,
       .help = "the metrics under other names, too: te (text-embeddings-inference) or nv (Triton)",
       .choices = {"te", "nv"}},
      {.name = "admin_socket",
       .type = OptionType::path,
       .help = "Unix socket at which models are loaded and unloaded; its owner alone may use it"},
      {.name = "keys_file",
       .type = OptionType::path,
       .help = "callers need a key of this file: `SHA256 NAME SCOPES [REQUESTS_PER_MINUTE] [YYYY-MM-DD]` a line"},
      {.name = "audit_log",
       .type = OptionType::path,
       .help = "what administrators do, one line each, chained by hashes (`suanli audit` checks it)"},
      {.name = "ssl_certfile", .type = OptionType::path, .help = "certificate chain, PEM: TLS 1.3"},
      {.name = "ssl_keyfile", .type = OptionType::path, .help = "its private key, PEM"},
      {.name = "ssl_ca_certs", .type = OptionType::path, .help = "clients need a certificate of this authority"},
      {.name = "alert_rules", .type = OptionType::path, .help = "rules over the metrics, YAML (docs/alerts.md)"},
      {.name = "webhook_url", .type = OptionType::text, .help = "http:// address that gets the alerts"},
      {.name = "energy_prices",
       .type = OptionType::path,
       .help = "what a kilowatt hour and a machine cost and emit, YAML (docs/energy.md)"},
      {.name = "insecure_public",
       .type = OptionType::boolean,
       .default_value = "false",
       .help = "an address that others reach without TLS and keys"},
      {.name = "allow_root",
       .type = OptionType::boolean,
       .default_value = "false",
       .help = "run as user 0, who can do more than a server should"},
      {.name = "sandbox",
       .type = OptionType::boolean,
       .default_value = "true",
       .help = "keep to the files and system calls that serving needs, where the kernel can (not with a GPU)"},
      {.name = "replicas",
       .type = OptionType::integer,
       .default_value = "0",
       .help = "computing threads side by side, of one core each; 0: one that uses all cores"},
      {.name = "slots",
       .type = OptionType::integer,
       .default_value = "8",
       .help = "texts that a causal language model writes side by side"},
      {.name = "tokenizer_threads",
       .type = OptionType::integer,
       .default_value = "1",
       .help = "threads that tokenise long texts"},
      {.name = "max_length",
       .type = OptionType::integer,
       .default_value = "0",
       .help = "tokens of a text; 0: as the model was made",
       .aliases = {"max_input_length"}},
  };
  const auto limit = [&all](const char* name, size_t value, const char* help, std::vector<std::string> aliases = {}) {
    all.push_back({.name = name,
                   .type = OptionType::integer,
                   .default_value = std::to_string(value),
                   .help = help,
                   .aliases = std::move(aliases)});
  };
  limit("max_concurrent_requests", limits.in_flight, "under way at once; more get 429");
  limit("max_queue_size", limits.queued, "requests that wait for a model; more get 429");
  limit("max_batch_tokens", static_cast<size_t>(limits.tokens_per_batch), "tokens computed together");
  limit("max_client_batch_size", limits.items_per_request, "inputs of one request");
  limit("max_connections", limits.connections, "at once");
  limit("max_connections_per_address", limits.connections_per_address, "at once");
  limit("payload_limit", limits.json_bytes, "bytes of a body of JSON");
  limit("binary_payload_limit", limits.binary_bytes, "bytes of a body of tensors");
  limit("request_timeout_secs", static_cast<size_t>(limits.deadline.count()), "then 504");
  limit("exit_timeout_secs", static_cast<size_t>(limits.drain_time.count()), "for what is under way at the end");
  all.push_back(device_option());
  all.push_back(precision_option("f32"));
  return all;
}

namespace {

int64_t at_least(const Config& config, const char* name, int64_t least) {
  const int64_t value = config.get_int(name);
  if (value < least) {
    throw UserError(name, "expected at least " + std::to_string(least) + ", got " + std::to_string(value));
  }
  return value;
}

serve::Limits read_limits(const Config& config) {
  serve::Limits limits;
  const auto size = [&](const char* name) { return static_cast<size_t>(at_least(config, name, 1)); };
  limits.in_flight = size("max_concurrent_requests");
  limits.queued = size("max_queue_size");
  limits.tokens_per_batch = at_least(config, "max_batch_tokens", 1);
  limits.items_per_request = size("max_client_batch_size");
  limits.connections = size("max_connections");
  limits.connections_per_address = size("max_connections_per_address");
  limits.json_bytes = size("payload_limit");
  limits.binary_bytes = size("binary_payload_limit");
  limits.deadline = serve::seconds(at_least(config, "request_timeout_secs", 1));
  limits.drain_time = serve::seconds(at_least(config, "exit_timeout_secs", 1));
  return limits;
}

uint16_t port_option(const Config& config, const char* name) {
  const int64_t port = at_least(config, name, 0);
  if (port > 65535) throw UserError(name, "expected 0 to 65535, got " + std::to_string(port));
  return static_cast<uint16_t>(port);
}

/// One above that of HTTP, or any that is free where that is; unless it was said.
int read_grpc_port(const Config& config, uint16_t port) {
  const int64_t grpc_port = config.is_given("grpc_port") ? at_least(config, "grpc_port", -1) : port > 0 ? port + 1 : 0;
  if (grpc_port > 65535) throw UserError("grpc_port", "expected -1 to 65535, got " + std::to_string(grpc_port));
  return static_cast<int>(grpc_port);
}

serve::ServerOptions read_server(const Config& config) {
  const uint16_t port = port_option(config, "port");
  std::optional<uint16_t> metrics_port;
  if (config.is_given("metrics_port")) metrics_port = port_option(config, "metrics_port");
  return {.host = config.get_string("host"),
          .port = port,
          .grpc_port = read_grpc_port(config, port),
          .metrics_port = metrics_port,
          .certificate = given_or_none(config, "ssl_certfile"),
          .private_key = given_or_none(config, "ssl_keyfile"),
          .client_authority = given_or_none(config, "ssl_ca_certs"),
          .admin_socket = given_or_none(config, "admin_socket"),
          .keys_file = given_or_none(config, "keys_file"),
          .audit_log = given_or_none(config, "audit_log"),
          .insecure_public = config.get_bool("insecure_public"),
          .limits = read_limits(config)};
}

monitor::PriceTable read_prices(const Config& config) {
  if (!config.is_given("energy_prices")) return {};
  monitor::PriceTable table = monitor::read_price_table(config.get_string("energy_prices"));
  const std::string warning = monitor::age_warning(table, std::time(nullptr));
  if (!warning.empty()) log_warning(warning);
  return table;
}

/// What a process that strangers talk to does without.
void give_up_privileges(bool root_is_allowed) {
  if (geteuid() == 0 && !root_is_allowed) {
    throw UserError("serve", "expected a user other than root; start it as another one, or say --allow_root");
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

serve::FileAccess with_server_files(const Config& config, serve::FileAccess files) {
  const auto add = [](auto& to, const auto& more) { to.insert(to.end(), more.begin(), more.end()); };
  add(files.readable,
      folders_of(config, {"keys_file", "ssl_certfile", "ssl_keyfile", "ssl_ca_certs", "alert_rules", "energy_prices"}));
  add(files.writable, folders_of(config, {"admin_socket", "audit_log"}));
  return files;
}

}  // namespace

std::vector<std::filesystem::path> folders_of(const Config& config, std::initializer_list<const char*> options) {
  std::vector<std::filesystem::path> out;
  for (const char* option : options) {
    if (!config.is_given(option)) continue;
    const std::filesystem::path path = config.get_string(option);
    out.push_back(std::filesystem::weakly_canonical(path).parent_path());
    out.push_back(std::filesystem::absolute(path).parent_path());
  }
  return out;
}

std::vector<std::filesystem::path> model_folders_of(const Config& config, std::initializer_list<const char*> options) {
  std::vector<std::filesystem::path> out = folders_of(config, options);
  for (const char* option : options) {
    if (!config.is_given(option)) continue;
    const auto folders = serve::folders_of_models(config.get_string(option));
    out.insert(out.end(), folders.begin(), folders.end());
  }
  return out;
}

int run_server(const Config& config, const ServerWork& work) {
  give_up_privileges(config.get_bool("allow_root"));
  const serve::ServerOptions options = read_server(config);
  const Device device = device_named(config.get_string("device"));
  const bool sandbox = config.get_bool("sandbox") && device.type == DeviceType::cpu;
  if (sandbox) log_info(serve::confine_files(with_server_files(config, work.files)));
  const int64_t replicas = at_least(config, "replicas", 0);
  if (replicas > 0) set_thread_count(1);

  monitor::ServiceMetrics metrics;
  if (config.is_given("metrics_alias")) metrics.also(monitor::metrics_alias(config.get_string("metrics_alias")));
  monitor::AlertHistory alerts;
  metrics.before_text([&] { alerts.set_metrics(metrics); });
  serve::Router router;
  serve::Methods methods;
  serve::Server server(options, router, metrics, &methods);
  serve::Repository models({.device = config.get_string("device"),
                            .precision = config.get_string("precision"),
                            .max_length = at_least(config, "max_length", 0),
                            .replicas = static_cast<int>(std::max<int64_t>(replicas, 1)),
                            .slots = static_cast<size_t>(at_least(config, "slots", 1))},
                           options.limits, metrics, static_cast<int>(at_least(config, "tokenizer_threads", 1)));
  work.add_models(models);
  models.load_changed();
  const monitor::PriceTable prices = read_prices(config);
  serve::ModelEnergy energy({.power = prices.power,
                             .uses_gpu = device.type == DeviceType::cuda,
                             .gpu_joules = [device] { return device_joules(device); }},
                            models);
  metrics.before_text([&] {
    const auto [reading, joules] = energy.read();
    for (const auto& [model, taken] : joules) {
      metrics.set("suanli_energy_joules_total", "Joules of the machine by the model that they went to, \"\" at rest",
                  {{"model", model}, {"device", device.text()}, {"source", monitor::name_of(reading.source())}}, taken);
    }
    const monitor::EnergyBill bill = monitor::bill_of(reading, prices);
    if (bill.cost) {
      metrics.set("suanli_cost_total", "What that cost by the price table", {{"currency", prices.currency}},
                  *bill.cost);
    }
    if (bill.co2_kg) metrics.set("suanli_co2_kilograms_total", "CO2 equivalents of that", {}, *bill.co2_kg);
  });
  const serve::Service service{models, options.limits, metrics, energy, prices, [&server] { return server.ready(); },
                               alerts};
  serve::add_health_routes(router, service);
  serve::add_watch_routes(router, service);
  serve::add_ui_routes(router);
  serve::add_embedding_routes(router, service);
  serve::add_openai_routes(router, service);
  serve::add_completion_routes(router, service);
  serve::add_open_inference_routes(router, service);
  serve::add_prediction_routes(router, service);
  serve::add_explain_routes(router, service);
  serve::add_open_inference_methods(methods, service);
  serve::add_health_methods(methods, service);
  serve::add_tei_methods(methods, service);
  serve::add_reflection_methods(methods);
  work.add_routes(router, service);
  std::optional<serve::Alarm> alarm;
  if (config.is_given("alert_rules")) {
    alarm.emplace(serve::AlarmOptions{config.get_string("alert_rules"), given_or_none(config, "webhook_url")}, metrics,
                  alerts);
  }
  serve::add_openapi_route(router, service, work.described);
  if (sandbox) log_info(serve::confine_calls(config.is_given("webhook_url")));
  log_info("serving at " + options.host + ":" + std::to_string(server.port()));
  if (server.grpc_port() > 0) {
    log_info("serving gRPC at " + options.host + ":" + std::to_string(server.grpc_port()));
  }
  if (options.metrics_port) {
    log_info("metrics at " + options.host + ":" + std::to_string(server.metrics_port()) + ", too");
  }
  return server.run([&models] { models.in_background([&models] { models.load_changed(); }); });
}

}  // namespace suanli::cli
