#include "e2e/fault_run.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {

namespace fs = std::filesystem;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void check(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

/// The small classifier with the dropout that its golden values had to do without.
fs::path classifier_with_dropout() {
  const fs::path folder = scratch("classifier_with_dropout");
  if (fs::exists(folder / "config.json")) return folder;
  for (const char* file : {"model.safetensors", "vocab.txt"}) fs::copy_file(small_classifier() / file, folder / file);
  Json config = read_json(small_classifier() / "config.json");
  config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.1;
  write(folder / "config.json", config.dump());
  return folder;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, rlim_t file_limit) : start_(now()) {
  std::vector<char*> words = {const_cast<char*>(SUANLI_PROGRAM)};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int ends[2];
  check(pipe2(ends, O_CLOEXEC), "pipe2");
  child_ = fork();
  check(child_, "fork");
  if (child_ == 0) {
    const rlimit limit = {file_limit, file_limit};
    const int nothing = open("/dev/null", O_RDWR);
    const bool ready = dup2(nothing, 0) == 0 && dup2(nothing, 1) == 1 && dup2(ends[1], 2) == 2 &&
                       (file_limit == RLIM_INFINITY || setrlimit(RLIMIT_FSIZE, &limit) == 0);
    if (ready) execv(words[0], words.data());
    _exit(125);
  }
  close(ends[1]);
  err_ = ends[0];
}

Process::~Process() {
  if (child_ < 0) return;
  send(SIGKILL);
  waitpid(child_, nullptr, 0);
  close(err_);
}

void Process::send(int signal) const { check(kill(child_, signal), "kill"); }

Ended Process::wait() {
  Ended out;
  char block[4096];
  for (ssize_t got = 0; (got = ::read(err_, block, sizeof block)) > 0;) out.err.append(block, static_cast<size_t>(got));
  int status = 0;
  rusage used = {};
  check(wait4(child_, &status, 0, &used), "wait4");
  close(err_);
  child_ = -1;
  out.seconds = now() - start_;
  for (const timeval& part : {used.ru_utime, used.ru_stime}) {
    out.cpu_seconds += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
  }
  if (WIFSIGNALED(status)) {
    out.signal = WTERMSIG(status);
  } else {
    out.code = WEXITSTATUS(status);
  }
  return out;
}

bool wait_until(double seconds, const std::function<bool()>& holds) {
  for (const double end = now() + seconds; now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
    if (holds()) return true;
  }
  return false;
}

std::vector<std::string> fault_run(const fs::path& output_dir, const std::vector<std::string>& more) {
  const fs::path data = scratch("fault_data") / "train.csv";
  // 31 batches, groups of three: every epoch ends in a batch that is not full and a group that is not.
  if (!fs::exists(data)) write(data, separable_csv(242, 1));
  std::vector<std::string> words = {"train",
                                    "task=text-classification",
                                    "model_name_or_path=" + classifier_with_dropout().string(),
                                    "train_file=" + data.string(),
                                    "output_dir=" + output_dir.string(),
                                    "resume_from_checkpoint=true",
                                    "per_device_train_batch_size=8",
                                    "gradient_accumulation_steps=3",
                                    "learning_rate=5e-3",
                                    "weight_decay=0.01",
                                    "logging_steps=3",
                                    "save_steps=" + std::to_string(kSaveSteps),
                                    "max_steps=" + std::to_string(kLastStep),
                                    "seed=7",
                                    "precision=f32"};
  for (const std::string& word : more) {
    std::erase_if(words, [&](const std::string& old) { return old.starts_with(word.substr(0, word.find('=') + 1)); });
    words.push_back(word);
  }
  return words;
}

fs::path empty_folder(const std::string& name) {
  fs::remove_all(scratch(name));
  return scratch(name);
}

Bits bits_of(const fs::path& checkpoint) {
  return {sha256_file(checkpoint / "model.safetensors"), sha256_file(checkpoint / "optimizer.safetensors")};
}

Bits final_bits(const fs::path& output_dir) {
  const fs::path last = output_dir / ("checkpoint-" + std::to_string(kLastStep));
  return {sha256_file(output_dir / "model.safetensors"), sha256_file(last / "optimizer.safetensors")};
}

std::map<int64_t, fs::path> checkpoints(const fs::path& output_dir) {
  std::map<int64_t, fs::path> out;
  if (!fs::exists(output_dir)) return out;
  const std::string prefix = "checkpoint-";
  for (const auto& entry : fs::directory_iterator(output_dir)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix)) out[std::stoll(name.substr(prefix.size()))] = entry.path();
  }
  return out;
}

std::string fault_of(const fs::path& checkpoint) {
  if (!fs::exists(checkpoint / "manifest.json")) return "no manifest.json";
  const Json files = read_json(checkpoint / "manifest.json").at("files");
  for (const char* needed : {"model.safetensors", "optimizer.safetensors", "trainer_state.json", "rng_state.json"}) {
    if (!files.contains(needed)) return std::string("no ") + needed;
  }
  for (const auto& [name, said] : files.items()) {
    const fs::path file = checkpoint / name;
    if (!fs::exists(file)) return name + " is missing";
    if (fs::file_size(file) != said.at("size").get<uint64_t>()) return name + " has another size";
    if (sha256_file(file) != said.at("sha256").get<std::string>()) return name + " has another hash";
  }
  return "";
}

std::vector<std::string> unfinished(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("tmp-") || name.starts_with(".")) out.push_back(name);
  }
  return out;
}

const Undisturbed& undisturbed() {
  static const Undisturbed made = [] {
    Undisturbed out;
    out.folder = empty_folder("undisturbed");
    const Ended ended = Process(fault_run(out.folder)).wait();
    if (ended.code != 0) throw std::runtime_error("the undisturbed run failed: " + ended.err);
    out.seconds = ended.seconds;
    for (const auto& [step, folder] : checkpoints(out.folder)) out.at[step] = bits_of(folder);
    out.at_end = final_bits(out.folder);
    return out;
  }();
  return made;
}

fs::path cut_off(const std::string& name, const std::vector<int64_t>& steps) {
  const fs::path folder = empty_folder(name);
  for (const int64_t step : steps) {
    const std::string checkpoint = "checkpoint-" + std::to_string(step);
    fs::copy(undisturbed().folder / checkpoint, folder / checkpoint, fs::copy_options::recursive);
  }
  return folder;
}

std::map<std::string, std::vector<float>> values_of(const fs::path& safetensors) {
  const std::string bytes = read(safetensors);
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::map<std::string, std::vector<float>> out;
  const Json tensors = Json::parse(bytes.substr(sizeof header, header));
  for (const auto& [name, tensor] : tensors.items()) {
    if (name == "__metadata__" || tensor.at("dtype") != "F32") continue;
    const uint64_t begin = tensor.at("data_offsets")[0], end = tensor.at("data_offsets")[1];
    std::vector<float>& values = out[name];
    values.resize((end - begin) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + sizeof header + header + begin, end - begin);
  }
  return out;
}

}  // namespace suanli::e2e
