/// The readers behind open_examples that have a file of their own.
#pragma once

#include <memory>

#include "data/byte_source.h"
#include "data/reader.h"

namespace suanli {

/// JSON lines: one object a line, columns are its keys; a label may be text, a number, true or false, or a list of
/// them; words and tags are lists of one length.
std::unique_ptr<ExampleReader> open_json_lines(ByteSource source, const ReaderOptions& options);

/// Token/tag files (CoNLL): one word a line with its tag in the last column, columns parted by tabs (else by
/// spaces), a blank line between sentences, `-DOCSTART-` lines passed over. A sentence with a bad line is bad whole.
std::unique_ptr<ExampleReader> open_conll(ByteSource source, const ReaderOptions& options);

/// Two files of text, a line of one for each line of the other: pairs for translation or of sentences. Throws UserError
/// where one ends first, and for a line that is blank in one alone.
std::unique_ptr<ExampleReader> open_parallel_text(ByteSource first, ByteSource second, const ReaderOptions& options);

}  // namespace suanli
