#include "formats/safetensors_cases.h"

#include "base/concat.h"

namespace suanli {
namespace {

std::string little_endian(uint64_t value) {
  std::string out;
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xFF);
  return out;
}

std::string data(size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(i);
  return out;
}

class Corpus {
 public:
  std::vector<SafetensorsCase> cases;

  void sound(std::string name, std::string bytes) { cases.push_back({std::move(name), std::move(bytes), true}); }
  void hostile(std::string name, std::string bytes) { cases.push_back({std::move(name), std::move(bytes), false}); }
  /// `header` with `data_bytes` of data.
  void bad_header(std::string name, std::string_view header, size_t data_bytes = 0) {
    hostile(std::move(name), safetensors_file(header, data_bytes));
  }
  void good_header(std::string name, std::string_view header, size_t data_bytes = 0) {
    sound(std::move(name), safetensors_file(header, data_bytes));
  }
};

void add_sound(Corpus& corpus) {
  corpus.good_header("empty object", "{}");
  corpus.good_header("metadata alone", R"({"__metadata__":{"format":"pt"}})");
  corpus.good_header("empty metadata", R"({"__metadata__":{}})");
  corpus.good_header("trailing spaces", "{}      ");
  corpus.good_header("space between tokens",
                     "{ \"a\" :\n{ \"dtype\":\t\"U8\", \"shape\": [ 1 , 2 ],\"data_offsets\":[0, 2] } }", 2);
  corpus.good_header("fields in another order", R"({"a":{"data_offsets":[0,2],"shape":[2],"dtype":"U8"}})", 2);
  corpus.good_header("scalar", concat('{', tensor_entry("a", "F32", "", "0,4"), '}'), 4);
  corpus.good_header("empty name", concat('{', tensor_entry("", "F32", "", "0,4"), '}'), 4);
  corpus.good_header("rank 16", concat('{', tensor_entry("a", "U8", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2", "0,2"), '}'), 2);
  corpus.good_header("chinese name", concat('{', tensor_entry("权重", "U8", "1", "0,1"), '}'), 1);
  corpus.good_header("escaped name", concat('{', tensor_entry(R"(a\u6743\ud83d\ude00\n\"\\\/)", "U8", "1", "0,1"), '}'),
                     1);
  corpus.good_header(
      "escaped and plain names",
      concat('{', tensor_entry(R"(a\tb)", "U8", "1", "0,1"), ',', tensor_entry("ab", "U8", "1", "1,2"), '}'), 2);
  corpus.good_header("order of data is not that of names",
                     concat('{', tensor_entry("a", "U8", "3", "2,5"), ',', tensor_entry("b", "U8", "2", "0,2"), '}'),
                     5);
  corpus.good_header("empty tensors share a place",
                     concat('{', tensor_entry("a", "F32", "0", "0,0"), ',', tensor_entry("b", "F32", "3,0", "0,0"), ',',
                            tensor_entry("c", "U8", "1", "0,1"), '}'),
                     1);
  corpus.good_header("empty tensor of 2^60 columns",
                     concat('{', tensor_entry("a", "U8", "0,1152921504606846976", "0,0"), '}'));
  corpus.good_header(
      "nothing and metadata",
      concat("{\"__metadata__\":{\"a\":\"\",\"b\":\"\\u00e9\"},", tensor_entry("a", "BOOL", "2", "0,2"), '}'), 2);
  for (const char* type : {"F64", "I64", "U64", "C64"})
    corpus.good_header(type, concat('{', tensor_entry("a", type, "1", "0,8"), '}'), 8);
  for (const char* type : {"F32", "I32", "U32"})
    corpus.good_header(type, concat('{', tensor_entry("a", type, "2", "0,8"), '}'), 8);
  for (const char* type : {"F16", "BF16", "I16", "U16"})
    corpus.good_header(type, concat('{', tensor_entry("a", type, "3", "0,6"), '}'), 6);
  for (const char* type : {"I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"}) {
    corpus.good_header(type, concat('{', tensor_entry("a", type, "2", "0,2"), '}'), 2);
  }
  corpus.good_header("F4", concat('{', tensor_entry("a", "F4", "4", "0,2"), '}'), 2);
  for (const char* type : {"F6_E2M3", "F6_E3M2"})
    corpus.good_header(type, concat('{', tensor_entry("a", type, "4", "0,3"), '}'), 3);
}

void add_truncated(Corpus& corpus) {
  const std::string whole =
      safetensors_file(concat(R"({"__metadata__":{"format":"pt"},)", tensor_entry("weight", "F32", "2,1", "0,8"), ',',
                              tensor_entry("bias", "BF16", "2", "8,12"), '}'),
                       12);
  corpus.sound("two tensors", whole);
  for (size_t length = 0; length < whole.size(); ++length)
    corpus.hostile("cut at byte " + std::to_string(length), whole.substr(0, length));
  corpus.hostile("one byte added", whole + '\0');
  // the header itself cut, with a length that says so: the JSON ends early
  const std::string header = whole.substr(8, whole.size() - 20);
  for (size_t length = 0; length < header.size(); ++length) {
    corpus.bad_header("header cut at " + std::to_string(length), header.substr(0, length), 12);
  }
}

void add_lengths(Corpus& corpus) {
  const std::string header = concat('{', tensor_entry("a", "U8", "4", "0,4"), '}');
  const auto claim = [&](uint64_t length) { return little_endian(length) + header + data(4); };
  corpus.sound("true length", claim(header.size()));
  for (const uint64_t power : {31, 32, 53, 63}) {
    for (const int64_t off : {-9, -8, -1, 0, 1}) {
      corpus.hostile(concat("length 2^", power, " + ", off),
                     claim((uint64_t{1} << power) + static_cast<uint64_t>(off)));
    }
  }
  for (const uint64_t off : {1, 2, 7, 8, 9, 16})
    corpus.hostile(concat("length 2^64 - ", off), claim(uint64_t{0} - off));
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, header.size() - 1, header.size() + 1, header.size() + 4, header.size() + 5,
        uint64_t{99'999'999}, uint64_t{100'000'000}, uint64_t{100'000'001}, uint64_t{10'000'000'000}}) {
    corpus.hostile(concat("length ", length), claim(length));
  }
  corpus.hostile("big-endian length", [&] {
    const std::string length = little_endian(header.size());
    return std::string(length.rbegin(), length.rend()) + header + data(4);
  }());
  corpus.hostile("7 bytes", std::string(7, '\0'));
  corpus.hostile("8 zero bytes", std::string(8, '\0'));
}

void add_sizes(Corpus& corpus) {
  // sizes around the powers of two where a program's integers change their mind
  for (const char* size :
       {"2147483647", "2147483648", "2147483649", "4294967295", "4294967296", "4294967297", "9007199254740991",
        "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "18446744073709551620", "99999999999999999999999999", "10000000000"}) {
    corpus.bad_header(concat("shape ", size), concat('{', tensor_entry("a", "U8", size, "0,4"), '}'), 4);
    corpus.bad_header(concat("end ", size), concat('{', tensor_entry("a", "U8", "4", concat("0,", size)), '}'), 4);
    corpus.bad_header(concat("both ", size), concat('{', tensor_entry("a", "U8", size, concat("0,", size)), '}'), 4);
    corpus.bad_header(concat("begin ", size), concat('{', tensor_entry("a", "U8", "4", concat(size, ",4")), '}'), 4);
    corpus.bad_header(concat("begin and end ", size),
                      concat('{', tensor_entry("a", "U8", "0", concat(size, ',', size)), '}'));
  }
  // products that wrap to the true size
  corpus.bad_header("2^32 x 2^32 x 4 wraps to 0",
                    concat('{', tensor_entry("a", "F32", "4294967296,4294967296", "0,0"), '}'));
  corpus.bad_header("wraps to 4", concat('{', tensor_entry("a", "U8", "9223372036854775810,2", "0,4"), '}'), 4);
  corpus.bad_header("2^62 floats wrap to 0", concat('{', tensor_entry("a", "F32", "4611686018427387904", "0,0"), '}'));
  corpus.bad_header("2^61 + 1 doubles wrap to 8",
                    concat('{', tensor_entry("a", "F64", "2305843009213693953", "0,8"), '}'), 8);
  corpus.bad_header("zero beside an overflow",
                    concat('{', tensor_entry("a", "U8", "4294967296,4294967296,0", "0,0"), '}'));
  corpus.bad_header("zero before an overflow",
                    concat('{', tensor_entry("a", "U8", "0,4294967296,4294967296", "0,0"), '}'));
  corpus.bad_header("half a byte", concat('{', tensor_entry("a", "F4", "1", "0,1"), '}'), 1);
  corpus.bad_header("six bits", concat('{', tensor_entry("a", "F6_E2M3", "1", "0,1"), '}'), 1);
  corpus.bad_header("rank 17", concat('{', tensor_entry("a", "U8", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0,1"), '}'),
                    1);
  std::string zeros = "0";
  for (int i = 0; i < 5000; ++i) zeros += ",0";
  corpus.bad_header("rank 5001", concat('{', tensor_entry("a", "U8", zeros, "0,0"), '}'));
}

void add_layout(Corpus& corpus) {
  const auto two = [](std::string_view first, std::string_view second) {
    return concat('{', tensor_entry("a", "U8", "4", first), ',', tensor_entry("b", "U8", "4", second), '}');
  };
  corpus.good_header("side by side", two("0,4", "4,8"), 8);
  corpus.bad_header("same bytes", two("0,4", "0,4"), 4);
  corpus.bad_header("same bytes and a hole", two("0,4", "0,4"), 8);
  corpus.bad_header("overlap by one", two("0,4", "3,7"), 7);
  corpus.bad_header("overlap by one and one left", two("0,4", "3,7"), 8);
  corpus.bad_header("hole between", two("0,4", "5,9"), 9);
  corpus.bad_header("hole before", two("1,5", "5,9"), 9);
  corpus.bad_header("byte after", two("0,4", "4,8"), 9);
  corpus.bad_header("byte missing", two("0,4", "4,8"), 7);
  corpus.bad_header("end before begin", two("4,0", "4,8"), 8);
  corpus.bad_header("too few bytes for the shape", concat('{', tensor_entry("a", "F32", "2", "0,4"), '}'), 4);
  corpus.bad_header("too many bytes for the shape", concat('{', tensor_entry("a", "F32", "2", "0,12"), '}'), 12);
  corpus.bad_header("empty tensor inside another",
                    concat('{', tensor_entry("a", "U8", "4", "0,4"), ',', tensor_entry("b", "U8", "0", "2,2"), '}'), 4);
  corpus.bad_header("empty tensor past the end",
                    concat('{', tensor_entry("a", "U8", "4", "0,4"), ',', tensor_entry("b", "U8", "0", "9,9"), '}'), 4);
  corpus.bad_header("empty tensor with bytes", concat('{', tensor_entry("a", "U8", "0", "0,4"), '}'), 4);
  corpus.bad_header("data without tensors", "{}", 4);
}

void add_json(Corpus& corpus) {
  const std::string good = tensor_entry("a", "U8", "4", "0,4");
  const auto bad = [&](std::string_view name, std::string_view header) {
    corpus.bad_header(std::string(name), header, 4);
  };
  bad("no header object", "[]");
  bad("null", "null");
  bad("a number", "12");
  bad("leading space", concat(" {", good, '}'));
  bad("leading newline", concat("\n{", good, '}'));
  bad("byte order mark", concat("\xEF\xBB\xBF{", good, '}'));
  bad("newline after", concat('{', good, "}\n"));
  bad("NUL after", concat('{', good, '}', '\0'));
  bad("text after", concat('{', good, "}{}"));
  bad("comma after the last", concat('{', good, ",}"));
  bad("comma before the first", concat("{,", good, '}'));
  bad("two commas", concat('{', good, ",,", tensor_entry("b", "U8", "0", "4,4"), '}'));
  bad("no comma", concat('{', good, tensor_entry("b", "U8", "0", "4,4"), '}'));
  bad("comment", concat("{/* */", good, '}'));
  bad("single quotes", "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}}");
  bad("name without quotes", R"({a:{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})");
  bad("tensor is null", R"({"a":null})");
  bad("tensor is a list", R"({"a":["U8",[4],[0,4]]})");
  bad("tensor is a string", R"({"a":"U8"})");
  bad("10 MB of brackets", std::string(10'000'000, '['));
  bad("10 MB of objects", [] {
    std::string text;
    for (int i = 0; i < 2'000'000; ++i) text += R"({"":)";
    return text;
  }());
  bad("same name twice", concat('{', good, ',', tensor_entry("a", "U8", "0", "4,4"), '}'));
  bad("same name twice, once escaped", concat('{', good, ',', tensor_entry(R"(\u0061)", "U8", "0", "4,4"), '}'));
  bad("118 bytes that read two ways", concat('{', good, ',', tensor_entry("a", "F32", "1", "0,4"), '}'));
  bad("metadata twice", concat(R"({"__metadata__":{},"__metadata__":{},)", good, '}'));
  bad("metadata key twice", concat(R"({"__metadata__":{"k":"1","k":"2"},)", good, '}'));
  bad("metadata is a list", concat(R"({"__metadata__":[],)", good, '}'));
  bad("metadata is null", concat(R"({"__metadata__":null,)", good, '}'));
  bad("metadata value is a number", concat(R"({"__metadata__":{"k":1},)", good, '}'));
  bad("metadata value is an object", concat(R"({"__metadata__":{"k":{}},)", good, '}'));
  bad("metadata is a tensor", R"({"__metadata__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})");
  bad("4097 metadata keys", [] {
    std::string text = R"({"__metadata__":{)";
    for (int i = 0; i < 4097; ++i) text += concat(i > 0 ? "," : "", '"', i, R"(":"")");
    return concat(text, "}}");
  }());
  bad("unknown field", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"note":"x"}})");
  bad("unknown field is nested", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":[[[]]]}})");
  bad("field name in capitals", R"({"a":{"DTYPE":"U8","shape":[4],"data_offsets":[0,4]}})");
  for (const char* name : {"dtype", "shape", "data_offsets"}) {
    const size_t at = good.find(name);
    bad(concat("no ", name), concat('{', good.substr(0, at), "x", good.substr(at + 1), '}'));
  }
  bad("dtype twice", R"({"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}})");
  bad("shape twice", R"({"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}})");
  bad("data_offsets twice", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"data_offsets":[0,4]}})");
  bad("empty tensor object", R"({"a":{}})");
  for (const char* type : {"", "u8", "U", "U8 ", "FP32", "float32", "BF32", "F128", "Q4_0", "U8\\u0000"}) {
    bad(concat("dtype ", type), concat('{', tensor_entry("a", type, "4", "0,4"), '}'));
  }
  bad("dtype is a number", R"({"a":{"dtype":8,"shape":[4],"data_offsets":[0,4]}})");
  for (const char* number : {"4.0",  "4e0", "4E0", "+4",       "-4", "-0", "04", "0x4", "\"4\"", "null",
                             "true", "[4]", "NaN", "Infinity", ".4", "4.", "",   "4,",  ",4",    "4 4"}) {
    bad(concat("size written ", number),
        concat(R"({"a":{"dtype":"U8","shape":[4,)", number, R"(],"data_offsets":[0,4]}})"));
    bad(concat("offset written ", number),
        concat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,)", number, "]}}"));
  }
  bad("shape is a number", R"({"a":{"dtype":"U8","shape":4,"data_offsets":[0,4]}})");
  bad("shape is an object", R"({"a":{"dtype":"U8","shape":{},"data_offsets":[0,4]}})");
  bad("one offset", concat('{', tensor_entry("a", "U8", "4", "4"), '}'));
  bad("three offsets", concat('{', tensor_entry("a", "U8", "4", "0,4,4"), '}'));
  bad("no offsets", concat('{', tensor_entry("a", "U8", "4", ""), '}'));
}

void add_strings(Corpus& corpus) {
  const auto name = [&](std::string_view label, std::string_view text) {
    corpus.bad_header(std::string(label), concat('{', tensor_entry(text, "U8", "4", "0,4"), '}'), 4);
  };
  name("NUL in a name", std::string_view("a\0b", 3));
  name("escaped NUL in a name", R"(a\u0000b)");
  name("newline in a name", "a\nb");
  name("unit separator in a name", "a\x1F");
  name("lone continuation byte", "a\x80");
  name("overlong slash", "\xC0\xAF");
  name("overlong NUL", "\xC0\x80");
  name("overlong, three bytes", "\xE0\x80\xAF");
  name("overlong, four bytes", "\xF0\x80\x80\xAF");
  name("surrogate in UTF-8", "\xED\xA0\x80");
  name("beyond U+10FFFF", "\xF4\x90\x80\x80");
  name("byte FE", "\xFE");
  name("UTF-8 cut short", "\xE6\x9D");
  name("high surrogate alone", R"(\ud83d)");
  name("low surrogate alone", R"(\ude00)");
  name("two high surrogates", R"(\ud83d\ud83d)");
  name("high surrogate and a letter", R"(\ud83dx\ude00)");
  name("unknown escape", R"(\q)");
  name("escape of a digit", R"(\0)");
  name("three hexadecimal digits", R"(\u123)");
  name("not hexadecimal", R"(\u12G4)");
  name("quote inside", R"(a"b)");
  name("backslash at the end", R"(a\)");
  corpus.bad_header("NUL in metadata", R"({"__metadata__":{"k":"\u0000"}})");
  corpus.bad_header("name that never ends", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  corpus.bad_header("escape that never ends", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\\");
  corpus.bad_header("unicode escape that never ends", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\\u00");
  corpus.bad_header("pair that never ends", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\\ud83d\\u");
}

}  // namespace

std::string safetensors_file(std::string_view header, size_t data_bytes) {
  return concat(little_endian(header.size()), header, data(data_bytes));
}

std::string tensor_entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         std::string_view offsets) {
  return concat('"', name, R"(":{"dtype":")", dtype, R"(","shape":[)", shape, R"(],"data_offsets":[)", offsets, "]}");
}

std::vector<SafetensorsCase> safetensors_cases() {
  Corpus corpus;
  add_sound(corpus);
  add_truncated(corpus);
  add_lengths(corpus);
  add_sizes(corpus);
  add_layout(corpus);
  add_json(corpus);
  add_strings(corpus);
  return std::move(corpus.cases);
}

}  // namespace suanli
