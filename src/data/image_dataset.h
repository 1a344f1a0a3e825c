/// Labelled pictures as they lie on disk: class folders, Hugging Face's imagefolder, COCO, Pascal VOC, YOLO.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "image/annotated.h"
#include "image/decode.h"

namespace suanli {

/// One picture (or sound) with what its data set says of it.
struct ImageExample {
  std::filesystem::path file;
  int32_t label = -1;                     ///< its class; -1: none
  std::string text = {};                  ///< a caption, or empty
  std::vector<ImageObject> objects = {};  ///< in pixels of the upright picture
  std::filesystem::path mask = {};        ///< a PNG of the same size, or empty
  Image image = {};                       ///< the picture itself where it has no file of its own
};

struct ImageDataset {
  std::vector<ImageExample> examples;
  std::vector<std::string> class_names;  ///< by id
  std::vector<int32_t> flip_idx;         ///< key points that change places in a mirror (YOLO's data.yaml), or empty
};

/// The files below `folder` whose names end in one of `extensions` (lower case, with the dot), sorted. Throws UserError
/// where there is none.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              const std::vector<std::string>& extensions);

/// Pictures (.jpg, .jpeg, .png) of `folder`, as Hugging Face's imagefolder: with metadata.jsonl or metadata.csv the
/// rows of that file (file_name, and label, text, mask_file_name, objects = {"bbox": [[x, y, w, h]], "categories":
/// []}); else the class is the name of the folder that a picture lies in, ids sorted by name as a LabelTable has them.
/// Pictures right in `folder` have no class. Throws UserError for a missing file, a bad row, or no pictures.
ImageDataset read_image_folder(const std::filesystem::path& folder);

/// The same for sounds (.wav, .flac, .ogg): audiofolder.
ImageDataset read_audio_folder(const std::filesystem::path& folder);

/// The pictures of an idx file, [H, W, 1], with the classes "0", "1", ... of the file beside it whose name has
/// "labels-idx1" for "images-idx3". Throws UserError where the two do not fit.
ImageDataset read_idx_images(const std::filesystem::path& images);

/// An idx file, or else a folder as read_image_folder() takes it, each picture with a class. Throws UserError.
ImageDataset read_classified_images(const std::filesystem::path& file_or_folder);

/// The pictures of a folder as read_image_folder() takes it, each with its mask: mask_file_name of the metadata, or
/// without metadata NAME_mask.png beside NAME.png (or .jpg). Throws UserError where a picture or a mask lacks the
/// other.
ImageDataset read_masked_images(const std::filesystem::path& folder);

/// Pictures with boxes or key points: a folder of Pascal VOC, one of its ImageSets/Main/<split>.txt, a json of COCO
/// (its pictures beside annotations/ in the folder called as the end of its name, or with it), a `part` of Ultralytics'
/// data.yaml, or else a folder as read_image_folder() takes it. Throws UserError.
ImageDataset read_annotated_images(const std::filesystem::path& file_or_folder, const std::string& part = "train");

/// COCO instances or person_keypoints json, pictures in `image_folder`. Classes are the categories in the order of
/// their ids. Crowds are ignored objects. Throws UserError with the number of the annotation.
ImageDataset read_coco(const std::filesystem::path& json, const std::filesystem::path& image_folder);

/// Pascal VOC: `folder` with Annotations, JPEGImages and ImageSets/Main/<split>.txt. Coordinates of VOC count pixels
/// from 1, both ends inside: a box begins one lower. Classes sorted by name, or `class_names` where given (a name that
/// is none of them is an error). `split` empty: every annotation.
ImageDataset read_voc(const std::filesystem::path& folder, const std::string& split,
                      std::vector<std::string> class_names = {});

/// Ultralytics' data.yaml: path, train / val / test (a folder of pictures, or a text file with one a line), names (list
/// or map), kpt_shape, flip_idx. Labels lie in the folder "labels" beside "images", one object a line: class, then
/// x y w h (parts of the picture), then key points; or class and an outline. A picture without a label file has none.
ImageDataset read_yolo(const std::filesystem::path& yaml, const std::string& split);

/// The picture of an example. Throws UserError.
Image load_image(const ImageExample& example, const DecodeOptions& options = {});

/// The picture and all that is known of it, ready for augment.h.
AnnotatedImage load_annotated(const ImageExample& example, const DecodeOptions& options = {});

}  // namespace suanli
