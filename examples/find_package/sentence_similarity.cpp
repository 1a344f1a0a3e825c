// How alike are two sentences? Embeds both with a sentence-transformers folder and prints the cosine.
//
//   sentence_similarity MODEL_DIR "first sentence" "second sentence"

#include <cstdio>
#include <numeric>

#include "infer/engine.h"
#include "ops/initialize.h"
#include "text/tokenizer.h"

using namespace suanli;

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: sentence_similarity MODEL_DIR FIRST SECOND\n");
    return 2;
  }
  initialize();
  const Tokenizer tokenizer = Tokenizer::load(argv[1]);
  const infer::Engine engine(models::load_model(argv[1], {.head = models::Head::none}),
                             {.pooling = {.mean = true, .normalize = true}});
  std::vector<infer::TokenSequence> sentences;
  for (int i = 2; i < 4; ++i) {
    const Encoding encoding = tokenizer.encode(argv[i], {.max_length = 256});
    sentences.push_back({encoding.ids, encoding.types});
  }
  const auto vectors = engine.run(sentences, infer::Output::embedding);
  std::printf("%.4f\n", std::inner_product(vectors[0].begin(), vectors[0].end(), vectors[1].begin(), 0.0));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
