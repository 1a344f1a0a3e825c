// Data sets of pictures: what each layout says arrives in one form, and what is wrong in it is told with its place.
#include "data/image_dataset.h"

#include <string>

#include <gtest/gtest.h>

#include "base/file.h"
#include "data/model_input.h"
#include "data_files.h"
#include "expect_error.h"
#include "image/png.h"

namespace suanli {
namespace {

/// A folder of its own for each test, with pictures of 20 x 10 pixels.
class ImageFiles : public ::testing::Test {
 protected:
  void picture(const std::string& name, int64_t height = 10, int64_t width = 20) {
    std::filesystem::create_directories((files_ / name).parent_path());
    write_png(files_ / name, Image(height, width, 3, 7));
  }
  void text(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((files_ / name).parent_path());
    files_.write(name, content);
  }
  DataFolder files_;
};

TEST_F(ImageFiles, FoldersAreClasses) {
  picture("train/cat/b.png");
  picture("train/cat/a.PNG");
  picture("train/dog/c.png");
  text("train/dog/notes.txt", "no picture");
  picture("train/loose.png");
  const ImageDataset dataset = read_image_folder(files_ / "train/");
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(dataset.examples.size(), 4u);
  EXPECT_EQ(dataset.examples[3].label, -1);
  EXPECT_EQ(dataset.examples[0].file, files_ / "train/cat/a.PNG");
  EXPECT_EQ(dataset.examples[0].label, 0);
  EXPECT_EQ(dataset.examples[2].label, 1);
  EXPECT_EQ(load_annotated(dataset.examples[2]).image.width, 20);
  EXPECT_NE(error_of([&] { read_image_folder(files_ / "train/nothing"); }).find("expected a folder"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_audio_folder(files_ / "train"); }).find("end in .wav, found none"), std::string::npos);
}

TEST_F(ImageFiles, MetadataNamesLabelsTextsMasksAndObjects) {
  picture("a.png");
  picture("sub/b.png");
  std::filesystem::create_directories(files_ / "masks");
  write_file_atomically(files_ / "masks/a.png", encode_png(Mask(10, 20, 1, 3)));
  text("metadata.jsonl", R"({"file_name": "a.png", "label": "yes", "text": "a line", "mask_file_name": "masks/a.png"}
{"file_name": "sub/b.png", "label": "no", "objects": {"bbox": [[1, 2, 3, 4]], "categories": [1]}}
)");
  const ImageDataset dataset = read_image_folder(files_ / "");
  ASSERT_EQ(dataset.examples.size(), 2u);
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(dataset.examples[0].label, 1);
  EXPECT_EQ(dataset.examples[0].text, "a line");
  EXPECT_EQ(*load_annotated(dataset.examples[0]).mask.at(9, 19), 3);
  EXPECT_EQ(dataset.examples[1].objects.at(0).box, (Box{1, 2, 4, 6}));
  std::filesystem::remove(files_ / "metadata.jsonl");
  text("metadata.csv", "file_name,label\na.png,5\nmissing.png,6\n");
  const std::string message = error_of([&] { read_image_folder(files_ / ""); });
  EXPECT_NE(message.find("metadata.csv:3"), std::string::npos) << message;
  text("metadata.csv", "file_name,mask_file_name\na.png,masks/a.png\n");
  write_file_atomically(files_ / "masks/a.png", encode_png(Mask(3, 3, 1, 3)));
  const std::string size = error_of([&] { load_annotated(read_image_folder(files_ / "").examples.at(0)); });
  EXPECT_NE(size.find("expected a mask of 20 x 10 pixels as its picture, got 3 x 3"), std::string::npos) << size;
}

TEST_F(ImageFiles, Coco) {
  text("instances.json", R"({
    "images": [{"id": 7, "file_name": "x.jpg"}, {"id": 9, "file_name": "y.jpg"}],
    "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
    "annotations": [
      {"image_id": 9, "category_id": 18, "bbox": [1, 2, 10, 20], "iscrowd": 0, "segmentation": [[1, 2, 11, 2, 11, 22]],
       "keypoints": [4, 5, 2, 0, 0, 0]},
      {"image_id": 9, "category_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 1, "segmentation": {"counts": [], "size": []}}]})");
  const ImageDataset dataset = read_coco(files_ / "instances.json", files_ / "images");
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"car", "dog"}));
  ASSERT_EQ(dataset.examples.size(), 2u);
  EXPECT_EQ(dataset.examples[1].file, files_ / "images/y.jpg");
  EXPECT_TRUE(dataset.examples[0].objects.empty());
  ASSERT_EQ(dataset.examples[1].objects.size(), 2u);
  const ImageObject& dog = dataset.examples[1].objects[0];
  EXPECT_EQ(dog.label, 1);
  EXPECT_EQ(dog.box, (Box{1, 2, 11, 22}));
  EXPECT_EQ(dog.polygons.at(0).size(), 3u);
  EXPECT_EQ(dog.key_points.at(0), (KeyPoint{{4, 5}, 2}));
  EXPECT_EQ(dog.key_points.at(1).visibility, 0);
  EXPECT_TRUE(dataset.examples[1].objects[1].ignored);
  EXPECT_EQ(read_annotated_images(files_ / "instances.json").examples.at(1).file, files_ / "y.jpg");
  text("bad.json", R"({"images": [{"id": 1, "file_name": "x"}], "categories": [], "annotations": [
    {"image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1]}]})");
  const std::string message = error_of([&] { read_coco(files_ / "bad.json", ""); });
  EXPECT_NE(message.find("annotation 0] expected a known category, got 5"), std::string::npos) << message;
}

TEST_F(ImageFiles, PascalVoc) {
  const std::string head = "<annotation><filename>p.jpg</filename>";
  const auto object = [](const std::string& name, const std::string& xmax) {
    return "<object><name>" + name + "</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>11</ymin><xmax>" +
           xmax + "</xmax><ymax>30</ymax></bndbox></object>";
  };
  text("Annotations/p.xml", head + object("WBC", "40") + object("RBC", "5") + "</annotation>");
  text("Annotations/q.xml", head + "</annotation>");
  text("ImageSets/Main/train.txt", "p\n");
  const ImageDataset dataset = read_voc(files_ / "", "train");
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"RBC", "WBC"}));
  ASSERT_EQ(dataset.examples.size(), 1u);
  EXPECT_EQ(dataset.examples[0].file, files_ / "JPEGImages/p.jpg");
  EXPECT_EQ(dataset.examples[0].objects.at(0).box, (Box{0, 10, 40, 30}));
  EXPECT_EQ(dataset.examples[0].objects.at(0).label, 1);
  EXPECT_TRUE(dataset.examples[0].objects.at(0).ignored);
  EXPECT_EQ(read_voc(files_ / "", "").examples.size(), 2u);
  EXPECT_EQ(read_annotated_images(files_ / "").examples.size(), 2u);
  EXPECT_EQ(read_annotated_images(files_ / "ImageSets/Main/train.txt").examples.size(), 1u);
  EXPECT_NE(error_of([&] { read_voc(files_ / "", "train", {"WBC"}); }).find("got \"RBC\""), std::string::npos);
  text("Annotations/p.xml", head + object("WBC", "x") + "</annotation>");
  EXPECT_NE(error_of([&] { read_voc(files_ / "", "train"); }).find("object 1 with a <name>"), std::string::npos);
  text("Annotations/p.xml", "<annotation><object>");
  EXPECT_NE(error_of([&] { read_voc(files_ / "", "train"); }).find("<annotation>"), std::string::npos);
}

TEST_F(ImageFiles, Yolo) {
  picture("set/images/train/a.png");
  picture("set/images/train/b.png");
  text("set/labels/train/a.txt", "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.5 0.1 0.5 0.9\n");
  text("data.yaml", "path: set\ntrain: images/train\nnames:\n  0: cell\n  1: disc\n");
  const ImageDataset dataset = read_yolo(files_ / "data.yaml", "train");
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"cell", "disc"}));
  ASSERT_EQ(dataset.examples.size(), 2u);
  const auto& objects = dataset.examples[0].objects;
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_NEAR(objects[0].box.left, 8, 1e-9);
  EXPECT_NEAR(objects[0].box.bottom, 7, 1e-9);
  EXPECT_EQ(objects[0].label, 1);
  EXPECT_NEAR(objects[1].box.right, 10, 1e-9);
  EXPECT_EQ(objects[1].polygons.at(0).size(), 3u);
  EXPECT_EQ(read_annotated_images(files_ / "data.yaml").examples.size(), 2u);
  EXPECT_NE(error_of([&] { read_annotated_images(files_ / "data.yaml", "val"); }).find("val"), std::string::npos);
  EXPECT_TRUE(dataset.examples[1].objects.empty());
  const auto message = [&](const std::string& labels) {
    text("set/labels/train/a.txt", labels);
    return error_of([&] { read_yolo(files_ / "data.yaml", "train"); });
  };
  EXPECT_NE(message("2 0.5 0.5 0.2 0.4\n").find("a.txt:1] expected a class from 0 to 1"), std::string::npos);
  EXPECT_NE(message("1 0.5 0.5 0.2\n").find("expected 5 numbers or an outline, got 4"), std::string::npos);
  EXPECT_NE(message("1 0.5 0.5 0.2 wide\n").find("got \"wide\""), std::string::npos);
  EXPECT_NE(message("1 50 0.5 0.2 0.4\n").find("from 0 to 1"), std::string::npos);
}

TEST_F(ImageFiles, YoloKeyPoints) {
  picture("images/a.png");
  text("labels/a.txt", "0 0.5 0.5 1 1 0.25 0.5 2 0 0 0\n");
  text("data.yaml", "train: images\nnames: [face]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n");
  const ImageDataset dataset = read_yolo(files_ / "data.yaml", "train");
  EXPECT_EQ(dataset.flip_idx, (std::vector<int32_t>{1, 0}));
  const auto& points = dataset.examples.at(0).objects.at(0).key_points;
  EXPECT_EQ(points.at(0), (KeyPoint{{5, 5}, 2}));
  EXPECT_EQ(points.at(1).visibility, 0);
  text("data.yaml", "train: images\nnames: [face]\nkpt_shape: [2, 3]\nflip_idx: [1, 2]\n");
  EXPECT_NE(error_of([&] { read_yolo(files_ / "data.yaml", "train"); }).find("has no point 2"), std::string::npos);
}

TEST_F(ImageFiles, ClassifiedInputsDependOnSeedEpochAndIndexAlone) {
  for (const char* name : {"x/a.png", "y/b.png", "y/c.png"}) {
    picture(name);
    Image image(10, 20, 3);
    for (size_t i = 0; i < image.values.size(); ++i) image.values[i] = static_cast<uint8_t>(i * name[2]);
    write_png(files_ / name, image);
  }
  const ImageDataset dataset = read_image_folder(files_ / "");
  ImageInputOptions options;
  options.processor.height = options.processor.width = 8;
  options.augment.cutmix = 1;
  const auto values = [&](int64_t index, std::optional<Draw> draw) {
    return classified_input(dataset.examples, index, options, draw).pixel_values;
  };
  EXPECT_EQ(values(1, Draw{5, 2}), values(1, Draw{5, 2}));
  EXPECT_NE(values(1, Draw{5, 2}), values(1, Draw{5, 3}));
  EXPECT_NE(values(1, Draw{5, 2}), values(1, Draw{6, 2}));
  EXPECT_NE(values(1, Draw{5, 2}), values(1, {}));
  const ClassifiedInput plain = classified_input(dataset.examples, 0, options, {});
  EXPECT_EQ(plain.pixel_values.size(), 3u * 8 * 8);
  EXPECT_EQ(plain.label, 0);
  EXPECT_EQ(plain.other_label, -1);
  const ClassifiedInput mixed = classified_input(dataset.examples, 0, options, Draw{});
  EXPECT_GE(mixed.other_label, 0);
  EXPECT_LE(mixed.share, 1);
}

TEST_F(ImageFiles, AnnotatedInputsAreSquares) {
  picture("a.png");
  text("metadata.jsonl", R"({"file_name": "a.png", "objects": {"bbox": [[2, 2, 10, 6]], "categories": [0]}})");
  const ImageDataset dataset = read_image_folder(files_ / "");
  ImageInputOptions options;
  const AnnotatedInput plain = annotated_input(dataset.examples, 0, 40, options, {});
  EXPECT_EQ(plain.pixel_values.size(), 3u * 40 * 40);
  EXPECT_EQ(plain.objects.at(0).box, (Box{4, 14, 24, 26}));  // twice as large, ten rows below the border
  const AnnotatedInput drawn = annotated_input(dataset.examples, 0, 40, options, Draw{1, 1});
  EXPECT_EQ(drawn.pixel_values.size(), 3u * 40 * 40);
}

}  // namespace
}  // namespace suanli
