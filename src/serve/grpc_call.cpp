#include "serve/grpc_call.h"

#include <grpcpp/alarm.h>

#include "base/error.h"
#include "base/log.h"
#include "serve/grpc_status.h"
#include "serve/http_message.h"

namespace suanli::serve {

namespace {

using infer::Clock;

/// Takes the bytes over.
grpc::ByteBuffer buffer_of(std::string bytes) {
  auto* kept = new std::string(std::move(bytes));
  const grpc::Slice slice(
      kept->data(), kept->size(), [](void* text) { delete static_cast<std::string*>(text); }, kept);
  return {&slice, 1};
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

Request head_of(const grpc::GenericServerContext& context) {
  Request head{.method = "POST", .path = context.method()};
  for (const auto& [name, text] : context.client_metadata()) {
    std::string& value = head.headers[std::string(name.data(), name.size())];
    if (!value.empty()) value += ", ";
    value.append(text.data(), text.size());
  }
  return head;
}

}  // namespace

/// What a handler holds of a call, or of one message of it.
class GrpcExchange final : public Exchange, public std::enable_shared_from_this<GrpcExchange> {
 public:
  GrpcExchange(std::shared_ptr<GrpcFront> front, const std::shared_ptr<GrpcCall>& call, Scope scope, Request request,
               std::shared_ptr<void> place)
      : front_(std::move(front)), call_(call), scope_(scope), request_(std::move(request)), place_(std::move(place)) {}
  ~GrpcExchange() override {
    if (streams_) with_call([](GrpcCall& call) { call.break_off(); });
    if (answered_) return;
    log_error("request " + request_.id + " to " + request_.path + " was dropped without an answer");
    front_->post([call = call_, response = failure()] {
      if (const auto kept = call.lock()) kept->answer(response, nullptr);
    });
  }

  const Request& request() const override { return request_; }
  infer::Cancelled cancelled() const override { return cancelled_; }
  void cancel() { *cancelled_ = true; }
  void counts_for(std::string model) override { model_ = std::move(model); }

  void answer_with(std::function<Response()> make) override {
    if (answered_.exchange(true)) return;
    front_->post([self = shared_from_this(), make = std::move(make)] {
      Response response;
      try {
        response = make();
      } catch (const std::exception& error) {
        log_error("request " + self->request_.id + ": " + error.what());
        response = self->failure();
      }
      self->count(response.status);
      if (const auto call = self->call_.lock()) call->answer(std::move(response), std::move(self->place_));
      self->place_.reset();
    });
  }
  void begin(Response head) override {
    if (answered_.exchange(true)) return;
    streams_ = true;
    front_->post([self = shared_from_this(), first = std::move(head.body)] {
      self->count(200);
      const auto call = self->call_.lock();
      if (!call) return;
      call->begin_stream();
      if (!first.empty()) call->stream(first);
    });
  }
  void write(std::string part) override {
    with_call([part = std::move(part)](GrpcCall& call) { call.stream(part); });
  }
  void finish() override {
    if (streams_.exchange(false)) with_call([](GrpcCall& call) { call.finish_stream(); });
  }

 private:
  Response failure() const { return grpc_error(Fault::backend, "the server could not answer; request " + request_.id); }
  void count(int status) {
    front_->gate.note_answer(scope_, request_, status, model_);
    const std::chrono::duration<double> taken = Clock::now() - request_.arrival;
    front_->metrics.request(request_.path, model_, status, taken.count());
  }
  template <class Action>
  void with_call(Action action) {
    front_->post([call = call_, action = std::move(action)] {
      if (const auto kept = call.lock()) action(*kept);
    });
  }

  std::shared_ptr<GrpcFront> front_;
  std::weak_ptr<GrpcCall> call_;  ///< ends with its client
  Scope scope_;
  Request request_;
  std::shared_ptr<void> place_;
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> answered_ = false;
  std::atomic<bool> streams_ = false;  ///< an answer in parts has begun and not ended
  std::string model_;
};

void GrpcFront::post(std::function<void()> work) {
  if (std::this_thread::get_id() == thread) return work();
  struct Posted : GrpcTag {
    grpc::Alarm alarm;
  };
  const std::lock_guard lock(post_mutex);
  if (ended) return;
  auto* posted = new Posted;
  posted->fire = [posted, &mutex = post_mutex, work = std::move(work)](bool) mutable {
    const std::function<void()> last = std::move(work);
    { const std::lock_guard wait(mutex); }  // until Set() below is done with it
    delete posted;                          // and this function with it
    last();
  };
  posted->alarm.Set(queue.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), static_cast<GrpcTag*>(posted));
}

GrpcCall::GrpcCall(const std::shared_ptr<GrpcFront>& front) : front_(front) {
  const auto set = [this](GrpcTag& tag, auto&& action) {
    tag.fire = [this, action](bool ok) {
      const auto self = shared_from_this();
      --in_queue_;
      action(ok);
      leave_if_done();
    };
  };
  set(came_, [this](bool ok) { came(ok); });
  set(read_, [this](bool ok) { message_came(ok); });
  set(done_, [this](bool) {
    gone_ = true;
    if (std::exchange(streams_, false)) --front_->streams;
    if (const auto exchange = exchange_.lock(); exchange && context_.IsCancelled()) exchange->cancel();
  });
  set(written_, [this](bool ok) {
    writing_ = false;
    parts_.pop_front();
    if (!ok) return;
    place_.reset();
    write_next();
    if (method_->many && !finishing_) read();
  });
  set(finished_, [this](bool) { place_.reset(); });
}

template <class Operation>
void GrpcCall::start(GrpcTag& tag, Operation operation) {
  ++in_queue_;
  operation(&tag);
}

void GrpcCall::leave_if_done() {
  if (in_queue_ == 0 && gone_) front_->calls.erase(shared_from_this());
}

void GrpcCall::wait_for_next(const std::shared_ptr<GrpcFront>& front) {
  const auto call = std::make_shared<GrpcCall>(front);
  front->calls.insert(call);
  call->start(call->done_, [&](void* tag) { call->context_.AsyncNotifyWhenDone(tag); });
  call->start(call->came_, [&](void* tag) {
    front->service.RequestCall(&call->context_, &call->stream_, front->queue.get(), front->queue.get(), tag);
  });
}

void GrpcCall::came(bool ok) {
  if (!ok) {  // the server ends; done_ does not come for a call that never was
    --in_queue_;
    gone_ = true;
    return;
  }
  wait_for_next(front_);
  begin();
}

/// Judges what was asked before any message is looked at.
void GrpcCall::begin() {
  head_ = head_of(context_);
  head_.arrival = Clock::now();
  head_.id = request_id(head_, front_->gate.next_id());
  context_.AddInitialMetadata("x-request-id", head_.id);
  const auto found = front_->methods.all.find(head_.path);
  if (found == front_->methods.all.end()) return refuse({Fault::method, "no such method"});
  method_ = &found->second;
  try {
    if (head_.headers.size() > front_->limits.header_count) {
      throw RequestError(Fault::long_head,
                         "expected at most " + std::to_string(front_->limits.header_count) + " headers");
    }
    head_.deadline = deadline_of(head_, front_->limits);
    if (context_.deadline() != std::chrono::system_clock::time_point::max()) {
      const auto left = context_.deadline() - std::chrono::system_clock::now();
      head_.deadline = std::min(head_.deadline, head_.arrival + std::chrono::duration_cast<Clock::duration>(left));
    }
    front_->gate.admit(key_of(head_), method_->scope, head_);
  } catch (const RequestError& error) {
    return refuse(error);
  }
  read();
}

void GrpcCall::read() {
  if (gone_) return;
  reading_ = true;
  ++front_->reading;
  read_end_ = method_->many ? Clock::now() + front_->limits.idle_time : head_.deadline;
  start(read_, [this](void* tag) { stream_.Read(&message_, tag); });
}

void GrpcCall::check_reading(Clock::time_point now) {
  if (reading_ && now > read_end_) context_.TryCancel();
}

void GrpcCall::message_came(bool ok) {
  reading_ = false;
  --front_->reading;
  if (gone_ || finishing_) return;
  if (ok) return handle();
  if (method_->many) return finish({});
  refuse({Fault::invalid, "expected a message"});
}

void GrpcCall::handle() {
  Request request = head_;
  request.body = bytes_of(message_);
  message_.Clear();
  std::shared_ptr<void> place;
  try {
    if (front_->gate.enter(method_->scope, request)) {
      place = {nullptr, [&gate = front_->gate](void*) { gate.leave(); }};
    }
  } catch (const RequestError& error) {
    return refuse(error);
  }
  const auto exchange =
      std::make_shared<GrpcExchange>(front_, shared_from_this(), method_->scope, std::move(request), std::move(place));
  exchange_ = exchange;
  try {
    method_->handler(exchange);
  } catch (const RequestError& error) {
    exchange->answer(error_answer(grpc_error, error));
  } catch (const UserError& error) {
    exchange->answer(grpc_error(Fault::invalid, error.what()));
  } catch (const std::exception& error) {
    log_error("request " + head_.id + ": " + error.what());
    exchange->answer(grpc_error(Fault::backend, "the server could not answer; request " + head_.id));
  }
}

/// Answers without a handler.
void GrpcCall::refuse(const RequestError& error) {
  const Response response = error_answer(grpc_error, error);
  const std::chrono::duration<double> taken = Clock::now() - head_.arrival;
  front_->metrics.request(method_ != nullptr ? head_.path : "", "", response.status, taken.count());
  finish(response);
}

void GrpcCall::answer(Response response, std::shared_ptr<void> place) {
  if (gone_ || finishing_) return;
  place_ = std::move(place);
  if (response.status != 200) return finish(response);
  if (method_->many) {
    parts_.push_back(buffer_of(std::move(response.body)));
    return write_next();
  }
  finishing_ = true;
  const grpc::ByteBuffer message = buffer_of(std::move(response.body));
  start(finished_, [&](void* tag) { stream_.WriteAndFinish(message, {}, grpc::Status::OK, tag); });
}

void GrpcCall::finish(const Response& response) {
  if (gone_ || std::exchange(finishing_, true)) return;
  if (const int64_t wait = retry_after(response); wait > 0) {  // the header by which gRPC's clients wait
    context_.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(1000 * wait));
  }
  start(finished_, [&](void* tag) { stream_.Finish(status_of(response), tag); });
}

void GrpcCall::begin_stream() {
  if (gone_ || streams_) return;
  streams_ = true;
  ++front_->streams;
}

void GrpcCall::stream(std::string part) {
  if (gone_ || last_part_) return;
  parts_.push_back(buffer_of(std::move(part)));
  write_next();
}

void GrpcCall::finish_stream() {
  last_part_ = true;
  write_next();
}

void GrpcCall::break_off() { finish(grpc_error(Fault::backend, "the answer broke off; request " + head_.id)); }

void GrpcCall::end_stream() {
  if (streams_ || (method_ != nullptr && method_->many)) finish_stream();
}

void GrpcCall::write_next() {
  if (gone_ || writing_ || finishing_) return;
  if (parts_.empty()) {
    if (last_part_) finish({});
    return;
  }
  writing_ = true;
  start(written_, [this](void* tag) { stream_.Write(parts_.front(), tag); });
}

}  // namespace suanli::serve
