/// The reference kernels: each op written as its definition, in plain loops. They define what the fast kernels must
/// compute, run where nothing else can, and are the oracle of the tests.
#pragma once

#include "kernels/activation.h"
#include "kernels/attention.h"
#include "kernels/batch_norm.h"
#include "kernels/cached_attention.h"
#include "kernels/convolution.h"
#include "kernels/depthwise.h"
#include "kernels/dice_loss.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/focal_loss.h"
#include "kernels/im2row.h"
#include "kernels/layer_norm.h"
#include "kernels/layout.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/pooling2d.h"
#include "kernels/quantized_matmul.h"
#include "kernels/recurrence.h"
#include "kernels/rms_norm.h"
#include "kernels/roi_align.h"
#include "kernels/rotary_embedding.h"
#include "kernels/swiglu.h"
#include "kernels/upsample.h"

namespace suanli::kernels::ref {

// One overload per kernel; the contract is the comment at the argument struct. None throws.
void run(const ActivationForward& args, Stream&);
void run(const ActivationBackward& args, Stream&);
void run(const Dropout& args, Stream&);
void run(const BinaryForward& args, Stream&);
void run(const Scale& args, Stream&);
void run(const Cast& args, Stream&);
void run(const RowDot& args, Stream&);
void run(const RowScale& args, Stream&);
void run(const Matmul& args, Stream&);
void run(const ColumnSum& args, Stream&);
void run(const EmbeddingForward& args, Stream&);
void run(const EmbeddingBackward& args, Stream&);
void run(const LayerNormForward& args, Stream&);
void run(const LayerNormBackward& args, Stream&);
void run(const AttentionForward& args, Stream&);
void run(const AttentionBackward& args, Stream&);
void run(const CacheAppend& args, Stream&);
void run(const CachedAttention& args, Stream&);
void run(const CrossEntropyForward& args, Stream&);
void run(const CrossEntropyBackward& args, Stream&);
void run(const SoftCrossEntropyForward& args, Stream&);
void run(const SoftCrossEntropyBackward& args, Stream&);
void run(const PointwiseLossForward& args, Stream&);
void run(const PointwiseLossBackward& args, Stream&);
void run(const DiceLossForward& args, Stream&);
void run(const DiceLossBackward& args, Stream&);
void run(const FocalLossForward& args, Stream&);
void run(const FocalLossBackward& args, Stream&);
void run(const SegmentMeanForward& args, Stream&);
void run(const SegmentMeanBackward& args, Stream&);
void run(const NormalizeForward& args, Stream&);
void run(const NormalizeBackward& args, Stream&);
void run(const AvgPoolBackward& args, Stream&);
void run(const AvgPoolForward& args, Stream&);
void run(const BatchNormBackward& args, Stream&);
void run(const BatchNormForward& args, Stream&);
void run(const BatchNormRstd& args, Stream&);
void run(const BatchNormStatistics& args, Stream&);
void run(const BatchNormSums& args, Stream&);
void run(const ConvolutionBackward& args, Stream&);
void run(const ConvolutionForward& args, Stream&);
void run(const ConvolutionWeight& args, Stream&);
void run(const CopyColumns& args, Stream&);
void run(const DepthwiseBackward& args, Stream&);
void run(const DepthwiseForward& args, Stream&);
void run(const DepthwiseWeight& args, Stream&);
void run(const Im2Row& args, Stream&);
void run(const MaxPoolBackward& args, Stream&);
void run(const MaxPoolForward& args, Stream&);
void run(const PixelShuffle& args, Stream&);
void run(const Row2Im& args, Stream&);
void run(const Transpose& args, Stream&);
void run(const UpsampleBackward& args, Stream&);
void run(const UpsampleForward& args, Stream&);
void run(const AdamwStep& args, Stream&);
void run(const SgdStep& args, Stream&);
void run(const SumsOfSquares& args, Stream&);
void run(const ClippingFactor& args, Stream&);
void run(const QuantizeRows& args, Stream&);
void run(const PackQuantized& args, Stream&);
void run(const QuantizedMatmul& args, Stream&);
void run(const RecurrentForward& args, Stream&);
void run(const RecurrentBackward& args, Stream&);
void run(const RmsNormForward& args, Stream&);
void run(const RmsNormBackward& args, Stream&);
void run(const RoiAlignForward& args, Stream&);
void run(const RoiAlignBackward& args, Stream&);
void run(const RotaryEmbedding& args, Stream&);
void run(const SwigluForward& args, Stream&);
void run(const SwigluBackward& args, Stream&);

}  // namespace suanli::kernels::ref
