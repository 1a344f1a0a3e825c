#include "autograd/tape.h"

#include <atomic>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "autograd/gradient_hook.h"

#include "base/profile.h"

namespace suanli {

namespace {

thread_local bool enabled = true;
thread_local bool inside_recompute = false;  // in the run of a segment that keeps nothing
std::atomic<uint64_t> next_sequence{1};
GradientSum gradient_sum = nullptr;
thread_local const GradientHook::Finished* leaf_finished = nullptr;

/// Gives a variable another value until the end of the scope.
template <class T>
class Restored {
 public:
  Restored(T& variable, std::type_identity_t<T> value) : variable_(variable), before_(std::exchange(variable, value)) {}
  ~Restored() { variable_ = before_; }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  T& variable_;
  T before_;
};

struct Earlier {
  bool operator()(const std::shared_ptr<TapeEntry>& a, const std::shared_ptr<TapeEntry>& b) const {
    return a->sequence < b->sequence;
  }
};

Tensor one_like(const Tensor& output) {
  Tensor one = Tensor::empty(output.shape(), output.dtype());
  const bool known = dispatch_floating(output.dtype(), [&]<class T>() { one.host<T>()[0] = T(1.0F); });
  SUANLI_ASSERT(known);
  return one.to(output.device());
}

/// Takes the tensor by value: the caller's last reference moves in, so that the sum may reuse its storage.
void accumulate(TapeEntry& entry, Tensor gradient) {
  entry.gradient = entry.gradient.defined() ? gradient_sum(std::move(entry.gradient), gradient) : std::move(gradient);
}

using Uses = std::unordered_map<const TapeEntry*, int>;

/// How many inputs of nodes below `root` each leaf is; empty where a segment hides some.
Uses uses_of_leaves(const TapeEntry& root) {
  Uses uses;
  std::unordered_set<const TapeEntry*> seen;
  std::vector<const TapeEntry*> open = {&root};
  while (!open.empty()) {
    const TapeEntry* const entry = open.back();
    open.pop_back();
    if (entry->op == std::string_view("recompute")) return {};
    for (const auto& input : entry->inputs) {
      if (input == nullptr) continue;
      if (input->op == nullptr) {
        ++uses[input.get()];
      } else if (seen.insert(input.get()).second) {
        open.push_back(input.get());
      }
    }
  }
  return uses;
}

/// Counts one input of a node that was walked; whether it was the last of a leaf that has a gradient.
bool last_use(const TapeEntry& input, Uses& uses) {
  const auto leaf = uses.find(&input);
  return leaf != uses.end() && --leaf->second == 0 && input.gradient.defined();
}

}  // namespace

GradientHook::GradientHook(Finished finished) : finished_(std::move(finished)) { leaf_finished = &finished_; }
GradientHook::~GradientHook() { leaf_finished = nullptr; }

bool gradient_enabled() { return enabled; }
NoGradient::NoGradient() : before_(enabled) { enabled = false; }
NoGradient::~NoGradient() { enabled = before_; }

void require_gradient(Tensor& tensor) { tensor.set_tape(std::make_shared<TapeEntry>()); }

bool wants_gradient(const Tensor& tensor) { return enabled && tensor.tape() != nullptr; }

Tensor& gradient_of(const Tensor& leaf) {
  if (leaf.tape() == nullptr || leaf.tape()->op != nullptr) {
    throw UserError("gradient_of", "expected a leaf that requires a gradient, got " +
                                       std::string(leaf.tape() == nullptr ? "a plain tensor" : leaf.tape()->op));
  }
  return leaf.tape()->gradient;
}

Tensor detach(const Tensor& tensor) {
  Tensor out = tensor;
  out.set_tape(nullptr);
  return out;
}

void record(const char* op, Tensor& output, std::initializer_list<Tensor> inputs, BackwardRule rule) {
  auto entry = std::make_shared<TapeEntry>();
  bool wanted = false;
  for (const Tensor& input : inputs) {
    if (inside_recompute && input.defined() && input.tape() != nullptr && input.tape()->op != nullptr) {
      throw UserError("recompute", std::string("expected a segment of x and leaves alone, got the result of ") +
                                       input.tape()->op + " from outside in " + op + "; pass it as x or detach it");
    }
    const bool wants = input.defined() && wants_gradient(input);
    entry->inputs.push_back(wants ? input.tape() : nullptr);
    wanted = wanted || wants;
  }
  if (!wanted) return;
  entry->op = op;
  entry->sequence = next_sequence++;
  entry->rule = std::move(rule);
  output.set_tape(std::move(entry));
}

void backward(const Tensor& output, Tensor dy) {
  const std::shared_ptr<TapeEntry>& root = output.tape();
  if (root == nullptr) {
    throw UserError("backward", "expected a tensor that requires a gradient or the result of an op over one, got none");
  }
  if (root->done) throw UserError("backward", std::string("the tape of this ") + root->op + " was walked before");
  if (!dy.defined()) {
    if (output.elements() != 1) {
      throw UserError("backward", "expected one element or a gradient dy, got " + output.shape().text());
    }
    dy = one_like(output);
  } else if (dy.shape() != output.shape() || dy.dtype() != output.dtype()) {
    throw UserError("backward", "expected dy of " + output.shape().text() + " " + name_of(output.dtype()) + ", got " +
                                    dy.shape().text() + " " + name_of(dy.dtype()));
  }

  const NoGradient off;  // rules compute with ops; their work is not recorded
  if (root->op == nullptr) return accumulate(*root, std::move(dy));
  std::priority_queue<std::shared_ptr<TapeEntry>, std::vector<std::shared_ptr<TapeEntry>>, Earlier> open;
  const GradientHook::Finished* const finished = leaf_finished;
  Uses uses = finished == nullptr ? Uses() : uses_of_leaves(*root);
  const Restored quiet(leaf_finished, nullptr);  // in segments that run again
  root->gradient = std::move(dy);
  open.push(root);
  while (!open.empty()) {
    const std::shared_ptr<TapeEntry> entry = open.top();
    open.pop();
    activity.op = entry->op;
    std::vector<Tensor> gradients = entry->rule(entry->gradient);
    entry->gradient = {};
    entry->rule = nullptr;
    entry->done = true;
    SUANLI_ASSERT(gradients.size() == entry->inputs.size());
    const auto inputs = std::move(entry->inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == nullptr) continue;
      if (gradients[i].defined()) {
        if (inputs[i]->done)
          throw UserError("backward", std::string("the tape of ") + inputs[i]->op + " was walked before");
        const bool first = !inputs[i]->gradient.defined();
        accumulate(*inputs[i], std::move(gradients[i]));
        if (first && inputs[i]->op != nullptr) open.push(inputs[i]);
      }
      if (last_use(*inputs[i], uses)) (*finished)(*inputs[i]);
    }
  }
}

Tensor recompute(std::function<Tensor(const Tensor&)> segment, const Tensor& x) {
  if (!enabled) return segment(x);
  Tensor y;
  {
    const NoGradient off;
    const Restored inside(inside_recompute, true);
    y = detach(segment(detach(x)));
  }
  Tensor anchor = x;  // parameters inside the segment need gradients even where x does not
  if (anchor.tape() == nullptr) require_gradient(anchor);
  record("recompute", y, {anchor}, [segment = std::move(segment), x = detach(x)](const Tensor& dy) {
    Tensor leaf = x;
    require_gradient(leaf);
    const Restored on(enabled, true);
    backward(segment(leaf), dy);
    return std::vector<Tensor>{gradient_of(leaf)};
  });
  return y;
}

void set_gradient_sum(GradientSum sum) { gradient_sum = sum; }

}  // namespace suanli
