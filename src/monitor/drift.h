/// Tests of drift: how far a window of what a service sees lies from its baseline, and whether chance would do that.
/// All p-values take the values of each side for independent draws.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "monitor/sample.h"

namespace suanli::monitor {

struct TestResult {
  double statistic = 0;
  double p_value = std::numeric_limits<double>::quiet_NaN();  ///< of no drift; NaN where there is no such
};

/// Two-sample Kolmogorov and Smirnov: D = sup_x |F(x) - G(x)|; p = 2 sum_j (-1)^(j-1) exp(-2 j^2 t^2) with
/// t = D sqrt(n m / (n + m)) (Smirnov 1939), the limit of large samples: for 100 values and more it is at most 0.05
/// from the exact one and mostly above it; ties make it larger than exact, too. Throws UserError for an empty sample.
TestResult kolmogorov_smirnov(const Sample& baseline, const Sample& window);

/// Population stability index: sum_i (q_i - p_i) ln(q_i / p_i) over bins (e_i, e_i+1] between the quantiles 1/bins,
/// 2/bins, ... of the baseline (equal ones are one edge; the first and the last bin are open), p_i and q_i the shares
/// of baseline and window in them. An empty cell counts as a share of 0.0001. p: without drift PSI / (1/n + 1/m) is
/// chi-square with so many degrees of freedom as bins less one (Yurdakul and Naranjo 2020, "Statistical properties of
/// the population stability index"). Throws UserError for an empty sample.
TestResult population_stability(const Sample& baseline, const Sample& window, int bins = 10);

struct Distance {
  double distance = 0;   ///< in the unit of the values
  double by_chance = 0;  ///< its mean for samples of these sizes of one distribution, in the same unit
};

/// Wasserstein-1: integral |F(x) - G(x)| dx. Its mean by chance is sqrt(2/pi) integral sqrt(H (1 - H) (1/n + 1/m)) dx,
/// H the distribution of both together: at each x the difference is normal with that deviation. Throws UserError for an
/// empty sample.
Distance wasserstein(const Sample& baseline, const Sample& window);

/// Counts of the same categories on both sides.
struct CountTable {
  std::vector<double> baseline, window;
};

/// The table with all categories together whose expected count, min(n, m) (b_i + w_i) / (n + m), is below 5, the limit
/// where chi-square holds (Cochran 1954); if they stay below it together, the smallest other joins them.
CountTable with_rare_pooled(const CountTable& table);

/// Chi-square of homogeneity: sum of (observed - expected)^2 / expected over both rows of the table, rare categories
/// pooled, with one degree of freedom less than categories; 0 and p = 1 for a single one. Pearson 1900; the same as
/// scipy.stats.chi2_contingency without correction. Throws UserError for a side without counts.
TestResult chi_square(const CountTable& table);

/// Cohen's w (1988) for the chi-square of sides of n and m: sqrt(chi2 (1/n + 1/m)), the size of the change without that
/// of the samples: 0.1 is small, 0.3 medium, 0.5 large.
double effect_size(double chi_square, double n, double m);

/// Jensen-Shannon distance of the shares p and q, base 2, 0 to 1: sqrt(KL(p || h) / 2 + KL(q || h) / 2), h their mean
/// (Lin 1991). p: 8 ln(2) n m / (n + m) times its square is, to second order, chi_square(). Throws as that.
TestResult jensen_shannon(const CountTable& table);

struct PermutationOptions {
  size_t vectors = 128;  ///< of each side, the first so many
  int64_t permutations = 199;
  uint64_t seed = 0;
};

/// Maximum mean discrepancy, squared and unbiased (Gretton et al. 2012, "A kernel two-sample test", lemma 6), with
/// k(x, y) = exp(-|x - y|^2 / (2 s^2)), s the median of the distances of all pairs (their mean where that is 0).
/// p: the share of random divisions of all vectors that have at least this value, this one among them. At most
/// (2 vectors)^2 / 2 kernels and so many additions for each permutation. Throws UserError for less than two vectors or
/// different widths.
TestResult maximum_mean_discrepancy(std::span<const std::vector<float>> baseline,
                                    std::span<const std::vector<float>> window, const PermutationOptions& options = {});

/// P(X >= x) of chi-square with so many degrees of freedom (Boost.Math); 1 for none.
double chi_square_beyond(double x, double degrees);

}  // namespace suanli::monitor
