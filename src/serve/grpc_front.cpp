#include "serve/grpc_front.h"

#include <grpcpp/alarm.h>

namespace suanli::serve {

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

}  // namespace suanli::serve
