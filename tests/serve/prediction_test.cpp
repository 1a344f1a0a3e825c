// Rows, pictures and series over HTTP: the answers of the models themselves in every form, and what is refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <set>

#include "base/base64.h"
#include "base/json_text.h"
#include "image/png.h"
#include "models/load.h"
#include "models/tabular/config.h"
#include "monitor/profile.h"
#include "ops/initialize.h"
#include "serve/predicting_model.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SUANLI_TESTS_DIR) / "golden/models";

fs::path new_folder() {
  static int number = 0;
  const fs::path folder = fs::temp_directory_path() /
                          ("suanli_prediction_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  fs::create_directories(folder);
  return folder;
}

/// Two numbers, a category and a date; two classes, or a number.
fs::path table_model(bool regression) {
  initialize();
  const fs::path folder = new_folder();
  const Json columns = {
      {{"name", "age"}, {"encoding", "standardize"}, {"fill", 40.0}, {"center", 40.0}, {"scale", 10.0}},
      {{"name", "income"}, {"encoding", "log"}, {"fill", 8.0}, {"center", 8.0}, {"scale", 2.0}},
      {{"name", "town"}, {"encoding", "ordinal"}, {"categories", {"Bonn", "Paris", "Rome"}}}};
  std::ofstream(folder / "preprocessor_config.json")
      << Json({{"feature_extractor_type", "SuanliTableEncoder"}, {"columns", columns}}).dump();
  Json config = models::tabular_json();
  config.update({{"num_features", 2}, {"category_sizes", {4}}, {"hidden_sizes", {8}}, {"hidden_act", "relu"}});
  if (regression) {
    config.update({{"problem_type", "regression"}, {"target_mean", 100.0}, {"target_scale", 7.0}});
  } else {
    config.update({{"problem_type", "single_label_classification"}, {"threshold", 0.4}});
    config["id2label"] = {{"0", "no"}, {"1", "yes"}};
  }
  models::save_model(models::new_model(config, {.seed = 5}), folder);
  return folder;
}

/// A golden model of pictures with a processor for its size.
fs::path picture_model(const char* golden, int64_t size, int64_t channels) {
  const fs::path folder = new_folder();
  for (const char* file : {"config.json", "model.safetensors"}) fs::copy_file(kGolden / golden / file, folder / file);
  const std::vector<double> halves(static_cast<size_t>(channels), 0.5);
  std::ofstream(folder / "preprocessor_config.json") << Json({{"do_resize", true},
                                                              {"size", {{"height", size}, {"width", size}}},
                                                              {"image_mean", halves},
                                                              {"image_std", halves}})
                                                            .dump();
  return folder;
}

Image picture(int64_t height, int64_t width, int seed) {
  Image image(height, width, 3);
  for (size_t i = 0; i < image.values.size(); ++i) {
    image.values[i] = static_cast<uint8_t>(128 + 100 * std::sin(0.01 * static_cast<double>(i) + seed));
  }
  return image;
}

TestServerOptions of(const fs::path& folder) {
  TestServerOptions options;
  options.model = folder;
  return options;
}

std::string predict(Client& client, const Json& inputs, const Json& parameters = Json::object()) {
  const Reply reply =
      client.post("/v2/models/tiny/predict", Json({{"inputs", inputs}, {"parameters", parameters}}).dump());
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.body;
}

const Json kRows = {{{"age", 33}, {"income", 1200.5}, {"town", "Paris"}},
                    {{"age", nullptr}, {"income", 0}, {"town", "Oslo"}},
                    {{"age", "71"}, {"income", 9e5}, {"town", "Rome"}, {"other", 1}}};

/// What the model says of kRows, as `suanli predict` prints it.
std::vector<infer::Prediction> expected_rows(const fs::path& folder) {
  const infer::RowModel model(folder.string(), "cpu", "f32");
  const std::vector<size_t> columns = {0, 1, 2};
  std::vector<infer::Prepared> prepared;
  for (const std::vector<std::string>& cells : std::vector<std::vector<std::string>>{
           {"33", "1200.5", "Paris"}, {"", "0", "Oslo"}, {"71", "900000.0", "Rome"}}) {
    Row row;
    row.cells = cells;
    prepared.push_back(model.prepare(row, columns, "test"));
  }
  return model.predict(prepared);
}

TEST(TableService, EveryFormGivesTheAnswersOfPredict) {
  const fs::path folder = table_model(false);
  TestServer server(of(folder));
  Client client(server.port());
  const auto expected = expected_rows(folder);
  std::string list;
  for (const auto& each : expected) list += (list.empty() ? "" : ",") + each.json;
  const std::string wanted = R"({"model_name":"tiny","model_version":"1","predictions":[)" + list + "]}";
  EXPECT_EQ(predict(client, kRows), wanted);
  EXPECT_EQ(client.post("/v1/models/tiny:predict", Json({{"instances", kRows}}).dump()).body, wanted);

  const Json metadata = client.request("GET", "/v2/models/tiny").json();
  EXPECT_EQ(metadata["inputs"], parse_json(R"([{"name":"age","datatype":"FP64","shape":[-1]},
      {"name":"income","datatype":"FP64","shape":[-1]},{"name":"town","datatype":"BYTES","shape":[-1]}])",
                                           "test"));
  const auto tensor = [](const char* name, const char* type, const Json& data) {
    return Json({{"name", name}, {"datatype", type}, {"shape", {data.size()}}, {"data", data}});
  };
  const Json columns = {tensor("town", "BYTES", {"Paris", "Rome"}), tensor("age", "INT64", {33, 71}),
                        tensor("income", "FP64", {1200.5, 9e5})};
  Json texts = Json::array();
  for (const Json& row : kRows) texts.push_back(row.dump());
  const Json by_column = client.post("/v2/models/tiny/infer", Json({{"inputs", columns}}).dump()).json();
  const Json by_row =
      client.post("/v2/models/tiny/infer", Json({{"inputs", {tensor("rows", "BYTES", texts)}}}).dump()).json();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(by_row["outputs"][0]["data"][i], expected[i].label);
    EXPECT_EQ(by_row["outputs"][1]["data"][i].get<float>(), expected[i].numbers[expected[i].label == "yes" ? 1 : 0]);
    EXPECT_EQ(by_row["outputs"][2]["data"][2 * i].get<float>(), expected[i].numbers[0]);
    if (i != 1) {
      EXPECT_EQ(by_column["outputs"][2]["data"][i].get<float>(), expected[i].numbers[0]);
    }
  }
  // As huggingface_hub's tabular_classification asks.
  const Json table = {{"table", {{"age", {"33"}}, {"income", {1200.5}}, {"town", {"Paris"}}}}};
  EXPECT_EQ(client.post("/", table.dump()).json(), Json({expected[0].label}));
  const Json stats = client.request("GET", "/v2/models/tiny/stats").json()["model_stats"][0];
  EXPECT_EQ(stats["inference_count"], 3 + 3 + 2 + 3 + 1);
  EXPECT_EQ(stats["inference_stats"]["success"]["count"], 5);
}

TEST(TableService, RegressionGivesNumbersInTheirUnit) {
  const fs::path folder = table_model(true);
  TestServer server(of(folder));
  Client client(server.port());
  const auto expected = expected_rows(folder);
  const Json answers = parse_json(predict(client, kRows), "answers")["predictions"];
  ASSERT_EQ(answers.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(answers[i]["value"].get<float>(), expected[i].numbers[0]);
  EXPECT_GT(std::abs(expected[0].numbers[0]), 50);
}

TEST(TableService, WhatIsNoRowIsRefusedByName) {
  TestServer server(of(table_model(false)));
  Client client(server.port());
  const auto refused = [&](const std::string& body, const std::string& why, int status = 400) {
    const Reply reply = client.post("/v2/models/tiny/predict", body);
    EXPECT_EQ(reply.status, status) << body;
    EXPECT_NE(reply.body.find(why), std::string::npos) << reply.body;
  };
  refused(R"({"inputs":[{"age":1,"income":2}]})", "town");
  refused(R"({"inputs":[{"age":"old","income":2,"town":"Rome"}]})", "age");
  refused(R"({"inputs":[[1,2,3]]})", "object");
  refused(R"({"inputs":[]})", "got none");
  refused(R"({"rows":[]})", "inputs");
  Json many = Json::array();
  for (int i = 0; i < 33; ++i) many.push_back(kRows[0]);
  refused(Json({{"inputs", many}}).dump(), "at most 32");
  for (const char* path : {"/embed", "/predict", "/tokenize", "/v1/embeddings"}) {
    const Reply reply = client.post(path, R"({"inputs":"text","input":"text"})");
    EXPECT_GE(reply.status, 400) << path;
    EXPECT_LT(reply.status, 500) << path;
  }
  EXPECT_EQ(client.post("/v2/models/tiny/infer", R"({"inputs":[]})").status, 400);
  EXPECT_EQ(client.request("GET", "/info").status, 422);
}

Json drift_of(Client& client) { return client.request("GET", "/v2/models/tiny/drift").json(); }

/// Names of the features that some test calls drifted.
std::set<std::string> drifted(const Json& drift) {
  std::set<std::string> out;
  for (const Json& score : drift["scores"]) {
    if (score["drifted"].get<bool>()) out.insert(score["feature"].get<std::string>());
  }
  return out;
}

// 240 rows of the ages of training from other towns: the towns are drift, the ages are not, and the rows that an
// explanation makes up are not seen.
TEST(TableService, ColumnsUnlikeThoseOfTrainingAreDriftAndLabelsMayComeLater) {
  const fs::path folder = table_model(false);
  monitor::BaselineProfile baseline;
  for (int i = 0; i < 600; ++i) {
    baseline.add({"column.age", 20.0 + i % 41});
    baseline.add({"column.income", 1000.0 + 10.0 * (i % 100)});
    baseline.add({"column.town", i % 3 == 0 ? std::string_view("Bonn") : std::string_view("Paris")});
  }
  baseline.save(folder / monitor::kBaselineProfile);
  TestServer server(of(folder));
  Client client(server.port());
  const auto row = [](int i) {
    return Json({{"age", 20 + i % 41}, {"income", 1000 + 10 * (i % 100)}, {"town", i % 2 == 0 ? "Rome" : "Paris"}});
  };
  Reply last;
  for (int i = 0; i < 240; i += 24) {
    Json rows = Json::array();
    for (int k = i; k < i + 24; ++k) rows.push_back(row(k));
    last = client.post("/v2/models/tiny/predict", Json({{"inputs", rows}}).dump());
    ASSERT_EQ(last.status, 200) << last.body;
    ASSERT_EQ(client.post("/v2/models/tiny/explain", Json({{"inputs", {row(i)}}}).dump()).status, 200);
  }
  const Json drift = drift_of(client);
  EXPECT_EQ(drift["baseline"], true);
  EXPECT_EQ(drifted(drift), std::set<std::string>{"column.town"}) << drift;
  for (const Json& score : drift["scores"]) EXPECT_EQ(score["window_count"], 240) << score;

  const std::string label = last.json()["predictions"][3]["label"];
  const auto feedback = [&](const std::string& truth) {
    return client.post("/v2/models/tiny/feedback",
                       Json({{"id", last.header("X-Request-Id")}, {"index", 3}, {"label", truth}}).dump());
  };
  EXPECT_EQ(feedback("perhaps").status, 400);
  EXPECT_EQ(feedback(label).json()["correct"], 1);
}

TEST(PictureService, ClassesInEveryForm) {
  const fs::path folder = picture_model("images/lenet", 28, 1);
  TestServer server(of(folder));
  Client client(server.port());
  const infer::PictureModel model(folder.string(), models::Head::image_classification, "cpu", "f32");
  const std::string png = encode_png(picture(30, 44, 1)), other = encode_png(picture(28, 28, 2));
  std::vector<infer::Prepared> prepared;
  for (const std::string& each : {png, other}) {
    prepared.push_back(model.prepare(decode_image(std::as_bytes(std::span(each)), model.decode_options(), "test")));
  }
  const auto expected = model.predict(prepared), three = model.predict(prepared, 3);
  EXPECT_EQ(
      predict(client, {to_base64(png), "data:image/png;base64," + to_base64(other)}),
      R"({"model_name":"tiny","model_version":"1","predictions":[)" + expected[0].json + "," + expected[1].json + "]}");
  EXPECT_EQ(parse_json(predict(client, {to_base64(png)}, {{"top_k", 3}}), "t")["predictions"][0],
            parse_json(three[0].json, "t"));

  // The file itself, as huggingface_hub's image_classification sends it.
  const Json labels = client.request("POST", "/", png, "Content-Type: image/png\r\n").json();
  ASSERT_EQ(labels.size(), 4u);
  EXPECT_EQ(labels[0]["label"], expected[0].label);
  const Json asked = client.post("/", Json({{"inputs", to_base64(png)}, {"parameters", {{"top_k", 2}}}}).dump()).json();
  EXPECT_EQ(asked.size(), 2u);

  // Pixels, and the file behind the JSON.
  const Image raw = picture(30, 44, 1);
  const auto infer = [&](const std::string& datatype, const Json& shape, const std::string& bytes) {
    const std::string head = Json({{"inputs",
                                    {{{"name", "image"},
                                      {"datatype", datatype},
                                      {"shape", shape},
                                      {"parameters", {{"binary_data_size", bytes.size()}}}}}}})
                                 .dump();
    return client.request("POST", "/v2/models/tiny/infer", head + bytes,
                          "Inference-Header-Content-Length: " + std::to_string(head.size()) + "\r\n");
  };
  const Json pixels = infer("UINT8", {1, 30, 44, 3}, {raw.values.begin(), raw.values.end()}).json();
  std::string element(4, '\0');
  element[0] = static_cast<char>(png.size() & 0xFF);
  element[1] = static_cast<char>(png.size() >> 8);
  const Json file = infer("BYTES", {1}, element + png).json();
  for (const Json& outputs : {pixels["outputs"], file["outputs"]}) {
    EXPECT_EQ(outputs[0]["data"][0], expected[0].label);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(outputs[2]["data"][i].get<float>(), expected[0].numbers[i]);
  }
}

TEST(PictureService, DarkPicturesAreDriftWhereTrainingWasBright) {
  const fs::path folder = picture_model("images/lenet", 28, 1);
  monitor::BaselineProfile baseline;
  for (int i = 0; i < 300; ++i) {
    baseline.add({monitor::kPictureHeight, 28.0});
    baseline.add({monitor::kPictureWidth, 28.0});
    baseline.add({monitor::kPictureBrightness, 0.5 + 0.001 * (i % 200)});
  }
  baseline.save(folder / monitor::kBaselineProfile);
  TestServer server(of(folder));
  Client client(server.port());
  for (int i = 0; i < 120; ++i) {
    const Image dark(28, 28, 1, static_cast<uint8_t>(20 + i % 40));
    ASSERT_EQ(client.request("POST", "/", encode_png(dark), "Content-Type: image/png\r\n").status, 200);
  }
  EXPECT_EQ(drifted(drift_of(client)), std::set<std::string>{std::string(monitor::kPictureBrightness)});
}

TEST(PictureService, HeadersOfHugePicturesAreRefusedBeforeMemoryIsTaken) {
  TestServer server(of(picture_model("images/lenet", 28, 1)));
  Client client(server.port());
  std::string png = encode_png(picture(8, 8, 1));
  for (const size_t at : {16u, 20u}) png.replace(at, 4, std::string("\x00\x01\x86\xA0", 4));  // 100,000 each
  const Reply reply = client.request("POST", "/", png, "Content-Type: image/png\r\n");
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.body.find("pixels"), std::string::npos) << reply.body;
  EXPECT_EQ(client.post("/v2/models/tiny/predict", R"({"inputs":["bm90IGEgcGljdHVyZQ=="]})").status, 400);
  EXPECT_EQ(client.post("/v2/models/tiny/predict", R"({"inputs":["###"]})").status, 400);
  const Reply shape =
      client.post("/v2/models/tiny/infer",
                  R"({"inputs":[{"name":"image","datatype":"UINT8","shape":[1,8000,8000,1],"data":[1]}]})");
  EXPECT_EQ(shape.status, 400);
}

TEST(PictureService, ObjectsMasksKeyPointsAndLargePictures) {
  const Image image = picture(40, 60, 3);
  const std::string png = encode_png(image), base64 = to_base64(png);
  struct Case {
    const char* folder;
    int64_t size;
    models::Head head;
    const char* output;
  };
  for (const Case& each : {Case{"detection", 64, models::Head::object_detection, "detections"},
                           Case{"images/unet", 32, models::Head::semantic_segmentation, "segments"},
                           Case{"dense_images/heatmap", 32, models::Head::keypoint_detection, "key_points"},
                           Case{"dense_images/edsr", 32, models::Head::image_super_resolution, "picture"}}) {
    const fs::path folder = picture_model(each.folder, each.size, 3);
    const Json config = read_json(folder / "config.json");
    if (config.contains("num_channels") && config["num_channels"] != 3) continue;
    TestServer server(of(folder));
    Client client(server.port());
    const infer::PictureModel model(folder.string(), each.head, "cpu", "f32");
    const infer::Prepared prepared =
        model.prepare(decode_image(std::as_bytes(std::span(png)), model.decode_options(), "test"));
    const infer::Prediction expected = model.predict({&prepared, 1}).front();
    const Json answer = parse_json(predict(client, {base64}), "t")["predictions"][0];
    const Json json = parse_json(expected.json, "t");
    EXPECT_EQ(each.head == models::Head::object_detection ? answer
              : each.head == models::Head::image_super_resolution
                  ? Json({{"width", answer["width"]}, {"height", answer["height"]}})
                  : answer[each.output],
              json)
        << each.folder;
    if (!expected.png.empty()) {
      EXPECT_EQ(answer[each.head == models::Head::semantic_segmentation ? "mask" : "picture"], to_base64(expected.png));
    }
    const Reply hub = client.request("POST", "/", png, "Content-Type: image/png\r\n");
    EXPECT_EQ(hub.status, 200) << each.folder << hub.body;
    if (each.head == models::Head::image_super_resolution) {
      EXPECT_EQ(hub.body, expected.png);
    } else if (each.head == models::Head::semantic_segmentation) {
      const auto mask = from_base64(hub.json()[0]["mask"].get<std::string>());
      const Image own = decode_image(std::as_bytes(std::span(*mask)), {.channels = Channels::grey}, "mask");
      const Mask classes = decode_mask(std::as_bytes(std::span(expected.png)), {}, "mask");
      ASSERT_EQ(own.values.size(), classes.values.size());
      for (size_t i = 0; i < own.values.size(); ++i) {
        ASSERT_EQ(own.values[i] == 255, classes.values[i] == json[0]["value"]) << i;
      }
    } else {
      EXPECT_EQ(hub.json(), json);
    }
    const Json metadata = client.request("GET", "/v2/models/tiny").json();
    EXPECT_EQ(metadata["inputs"][0]["name"], "image");
    EXPECT_EQ(metadata["outputs"][0]["name"], each.output);
  }
}

TEST(SeriesService, ForecastsAndHorizons) {
  const fs::path folder = new_folder();
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(kGolden / "forecast/linear" / file, folder / file);
  }
  TestServer server(of(folder));
  Client client(server.port());
  const infer::SeriesModel model(folder.string(), "cpu", "f32");
  const std::vector<double> values = {1, 2, 4, 3, 5, 7, 6, 8, 9.5, 9};
  const infer::Prepared prepared = model.prepare(values, "test");
  const infer::Prediction expected = model.predict({&prepared, 1}).front();
  std::string numbers;
  append_numbers(numbers, expected.numbers);
  const Json whole = parse_json(predict(client, {values, values}), "t")["predictions"];
  ASSERT_EQ(whole.size(), 2u);
  EXPECT_EQ(whole[1]["forecast"], parse_json(numbers, "t"));
  EXPECT_EQ(parse_json(predict(client, {values}, {{"horizon", 2}}), "t")["predictions"][0]["forecast"].size(), 2u);
  const auto infer = [&](const Json& body) { return client.post("/v2/models/tiny/infer", body.dump()); };
  const Json series = {{"name", "series"}, {"datatype", "FP64"}, {"shape", {10}}, {"data", values}};
  const Json answer = infer({{"inputs", {series}}, {"parameters", {{"horizon", 1}}}}).json();
  EXPECT_EQ(answer["outputs"][0]["shape"], Json({1, 1}));
  EXPECT_EQ(answer["outputs"][0]["data"][0].get<float>(), expected.numbers[0]);
  EXPECT_EQ(infer({{"inputs", {series}}, {"parameters", {{"horizon", 4}}}}).status, 400);
  EXPECT_EQ(client.post("/v2/models/tiny/predict", R"({"inputs":[[1,2,3]]})").status, 400);
  EXPECT_EQ(client.post("/v2/models/tiny/predict", R"({"inputs":[["a"]]})").status, 400);
}

TEST(QuestionService, AnswersInEveryForm) {
  TestServer server(of(kGolden / "question_pipeline"));
  Client client(server.port());
  const Json golden = read_json(kGolden / "question_pipeline/answers.json")["cases"][0];
  const Json asked = {{"question", golden["question"]}, {"context", golden["context"]}};
  const Json& best = golden["answers"][0];
  const auto agrees = [&](const Json& answer) {
    EXPECT_EQ(answer["answer"], best["answer"]);
    EXPECT_EQ(answer["start"], best["start"]);
    EXPECT_EQ(answer["end"], best["end"]);
    EXPECT_NEAR(answer["score"].get<double>(), best["score"].get<double>(), 1e-5);
  };
  agrees(client.post("/", Json({{"inputs", asked}, {"parameters", Json::object()}}).dump()).json());
  const Json five = client.post("/", Json({{"inputs", asked}, {"parameters", {{"top_k", 5}}}}).dump()).json();
  ASSERT_EQ(five.size(), 5u);
  agrees(five[0]);
  agrees(parse_json(predict(client, {asked, asked}), "t")["predictions"][1]);
  const auto tensor = [](const char* name, const Json& text) {
    return Json({{"name", name}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {text}}});
  };
  const Json inputs = {tensor("context", golden["context"]), tensor("question", golden["question"])};
  const Json outputs = client.post("/v2/models/tiny/infer", Json({{"inputs", inputs}}).dump()).json()["outputs"];
  Json answer;
  for (const Json& output : outputs) answer[output["name"].get<std::string>()] = output["data"][0];
  agrees(answer);
  EXPECT_EQ(client.request("GET", "/v2/models/tiny").json()["outputs"].size(), 4u);

  const auto status = [&](const Json& body) { return client.post("/", body.dump()).status; };
  EXPECT_EQ(status({{"inputs", {{"question", ""}, {"context", "x"}}}}), 422);
  EXPECT_EQ(status({{"inputs", "x"}}), 422);
  std::string endless;
  for (int i = 0; i < 4000; ++i) endless += "paris ";
  EXPECT_EQ(status({{"inputs", {{"question", "who ?"}, {"context", endless}}}}), 422)
      << "more windows than a request has";
  EXPECT_EQ(status({{"inputs", asked}}), 200);
}

TEST(Explanations, OfTextsAddUpAndOfRowsAreWhatACellIsWorth) {
  {
    TestServer server(of(tiny_model({"no", "yes"})));
    Client client(server.port());
    const std::string body = R"({"inputs":["w1 w2 w3", {"text":"w4","text_pair":"w5"}],"parameters":{"label":"yes"}})";
    const Json answer = client.post("/v2/models/tiny/explain", body).json();
    ASSERT_EQ(answer["explanations"].size(), 2u) << answer;
    const Json& first = answer["explanations"][0];
    EXPECT_EQ(first["label"], "yes");
    ASSERT_EQ(first["attributions"].size(), 3u);
    EXPECT_EQ(first["attributions"][1]["token"], "w2");
    EXPECT_EQ(first["attributions"][1]["start"], 3);
    EXPECT_EQ(answer["explanations"][1]["attributions"][1]["sequence"], 1);
    double sum = 0;
    for (const Json& each : first["attributions"]) sum += each["score"].get<double>();
    EXPECT_NEAR(sum, first["output"].get<double>() - first["baseline_output"].get<double>(), 1e-4);
    const Json occluded =
        client.post("/v1/models/tiny:explain", R"({"instances":["w1 w2 w3"],"parameters":{"method":"occlusion"}})")
            .json();
    EXPECT_EQ(occluded["method"], "occlusion");
    const auto status = [&](const char* text) { return client.post("/v2/models/tiny/explain", text).status; };
    EXPECT_EQ(status(R"({"inputs":[{"txt":"w1"}]})"), 400) << "as /predict reads it";
    EXPECT_EQ(status(R"({"inputs":["w1"],"parameters":{"label":"maybe"}})"), 400);
    EXPECT_EQ(status(R"({"inputs":["w1"],"parameters":{"n_steps":0}})"), 400);
    EXPECT_EQ(status(R"({"inputs":["w1"],"parameters":{"method":"guess"}})"), 400);
    EXPECT_EQ(status(R"({"inputs":[]})"), 400);
    std::string text;
    for (int i = 0; i < 60; ++i) text += "w1 ";
    Json many = Json::array();
    for (int i = 0; i < 32; ++i) many.push_back(text);
    const Json costly = {{"inputs", many}, {"parameters", {{"n_steps", 1000}}}};
    EXPECT_EQ(client.post("/v2/models/tiny/explain", costly.dump()).status, 400);
  }
  const fs::path folder = table_model(false);
  TestServer server(of(folder));
  Client client(server.port());
  const Json answer = client.post("/v2/models/tiny/explain", Json({{"inputs", {kRows[0]}}}).dump()).json();
  const Json& found = answer["explanations"][0];
  EXPECT_EQ(found["attributions"][2]["column"], "town");
  Json without = kRows[0];
  without["town"] = nullptr;
  const Json other = parse_json(predict(client, Json::array({without})), "t")["predictions"][0];
  const double rest =
      other["label"] == found["label"] ? other["score"].get<double>() : 1 - other["score"].get<double>();
  EXPECT_NEAR(found["attributions"][2]["score"].get<double>(), found["output"].get<double>() - rest, 1e-6);
}

TEST(PredictionQueue, IsBoundedAndDropsWhatNobodyWaitsFor) {
  std::mutex gate;
  std::unique_lock held(gate);
  using Scheduler = infer::ItemScheduler<infer::Prepared, infer::Prediction>;
  Scheduler scheduler(
      [&](std::span<const infer::Prepared> items) {
        const std::lock_guard wait(gate);
        if (items.size() == 2 && items[1].example.row == 13) throw std::runtime_error("bad item");
        if (items.size() == 1 && items[0].example.row == 13) throw std::runtime_error("bad item");
        return std::vector<infer::Prediction>(items.size(), {.json = std::to_string(items.size())});
      },
      {.items_per_batch = 2, .queued = 3});
  std::map<int, Scheduler::Result> results;
  std::mutex results_mutex;
  const auto submit = [&](int name, infer::WorkOptions options = {}, int64_t row = 0) {
    Scheduler::Job job;
    job.items.emplace_back().example.row = row;
    job.options = std::move(options);
    job.on_end = [&, name](Scheduler::Result result) {
      const std::lock_guard lock(results_mutex);
      results[name] = std::move(result);
    };
    scheduler.submit(std::move(job));
  };
  submit(0);
  while (scheduler.queued() > 0) usleep(100);  // computing, and held
  submit(1, {.deadline = infer::Clock::now()});
  submit(2, {.cancelled = std::make_shared<std::atomic<bool>>(true)});
  submit(3, {.priority = 1}, 13);
  submit(4);  // refused: three wait
  EXPECT_EQ(results[4].ending, infer::Ending::refused);
  held.unlock();
  scheduler.drain();
  EXPECT_EQ(results[0].ending, infer::Ending::done);
  EXPECT_EQ(results[1].ending, infer::Ending::expired);
  EXPECT_EQ(results[2].ending, infer::Ending::cancelled);
  EXPECT_EQ(results[3].ending, infer::Ending::failed);
  EXPECT_EQ(results[3].message, "bad item");
  submit(5);
  EXPECT_EQ(results[5].ending, infer::Ending::stopped);
}

}  // namespace
}  // namespace suanli::serve
