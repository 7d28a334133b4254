"""The mean of values whose samples share a passage or a subject, with a standard error that knows it.

Answers to five questions about one passage are not five independent pieces of evidence. The sandwich estimator sums the
residuals within each cluster first. Its plain form is too small when clusters are few or unequal, so the bias-reduced
form CR2 is used, with Satterthwaite's degrees of freedom. For a mean both have closed forms, linear in the clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_values, cluster_codes

__all__ = ["ClusterMean", "cluster_mean", "cluster_sums", "design_effect"]


@dataclass(frozen=True, slots=True)
class ClusterMean:
    """A mean with its standard error, or the reason why there is no standard error.

    Parameters
    ----------
    estimate
        The mean over all samples; None if there are none.
    standard_error
        In the values' unit; None if it cannot be estimated.
    degrees_of_freedom
        Of the t distribution to refer to; None with the standard error, and where too few clusters say otherwise than
        most samples to estimate anything from.
    n, n_clusters
        How many samples and how many clusters; without clusters, every sample is its own.
    effective_clusters
        ``n**2 / sum(size**2)``: the number of equal clusters that would inform as much if all samples of a cluster
        agreed (Kish 1965); 0 without samples.
    reason
        Why there is no standard error, or nothing to refer it to.
    """

    estimate: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    n: int
    n_clusters: int
    effective_clusters: float
    reason: str | None = None

    def quantile(self, probability: float) -> float | None:
        """The estimate plus the t quantile at `probability` times the standard error; None without one."""
        if self.estimate is None or self.standard_error is None or self.degrees_of_freedom is None:
            return None
        from scipy.special import stdtrit

        return self.estimate + float(stdtrit(self.degrees_of_freedom, probability)) * self.standard_error


def cluster_sums(
    values: NDArray[np.float64], clusters: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the values and number of samples of each cluster, both of shape (n_clusters,)."""
    if clusters is None:
        return values, np.ones_like(values)
    codes = cluster_codes(clusters, values.size)
    return np.bincount(codes, weights=values).astype(np.float64), np.bincount(codes).astype(np.float64)


def cluster_mean(values: ArrayLike, clusters: ArrayLike | None = None) -> ClusterMean:
    r"""Mean with the CR2 cluster-robust standard error and Satterthwaite degrees of freedom.

    The sandwich sums the squares of the clusters' residual sums :math:`r_g = \sum_{i \in g} (y_i - \bar y)`. As the
    mean is itself estimated these are too small; CR2 scales each to be unbiased under a working model [1]_ [2]_, here
    equally correlated samples within a cluster, whose correlation :math:`\rho` is estimated (analysis of variance,
    within [0, 1]) because degrees of freedom from independent ones are too many for unequal clusters [3]_. With sizes
    :math:`n_g`, shares
    :math:`u_g = n_g / n` and working variances :math:`\tau_g = n_g (1 + (n_g - 1) \rho)` of a cluster's sum,

    .. math:: \mathrm{SE}^2 = \frac{1}{n^2} \sum_g w_g r_g^2, \qquad
              w_g = \frac{\tau_g}{\tau_g (1 - 2 u_g) + u_g^2 \sum_h \tau_h},

    on :math:`\operatorname{tr}(\Omega)^2 / \operatorname{tr}(\Omega^2)` degrees of freedom, :math:`\Omega` being the
    working covariance of the scaled sums: G - 1 for G equal clusters and fewer for unequal ones. With one sample a
    cluster this is the usual :math:`s / \sqrt n` on n - 1 degrees of freedom.

    Where nearly all samples say the same, as at an accuracy of 0.98, what varies comes from few clusters, however many
    there are, and a t on G - 1 degrees covers the truth in 84 to 90% only (measured by
    ``benchmarks.perf.simulate_statistics``). If one value is that of most samples, of the share :math:`s`, the degrees
    of freedom are therefore at most those of the clusters that say otherwise, one less than
    :math:`(\sum_g w_g)^2 / ((2 s - 1) \sum_g w_g^2)` with the distances :math:`w_g = \sum_{i \in g} |y_i - m|` from
    that value: no bound at a half, and all of it near the ends. Single samples, among which nothing is correlated, are
    left out of the sum below.

    Parameters
    ----------
    values
        One finite value a sample, shape (n,).
    clusters
        One label a sample, shape (n,); None if all samples are independent.

    Returns
    -------
    ClusterMean
        Without a standard error if there are fewer than two clusters, or if all clusters agree exactly (nothing then
        estimates the variance). Without degrees of freedom if fewer than two clusters say otherwise than most samples.

    Raises
    ------
    ValueError
        If a value or a label is missing, or their numbers differ.

    References
    ----------
    .. [1] Bell, McCaffrey (2002). Bias reduction in standard errors for linear regression with multi-stage samples.
       Survey Methodology 28(2), 169-181.
    .. [2] Pustejovsky, Tipton (2018). Small-sample methods for cluster-robust variance estimation and hypothesis
       testing in fixed effects models. Journal of Business & Economic Statistics 36(4), 672-683.
    .. [3] Imbens, Kolesar (2016). Robust standard errors in small samples: some practical advice. Review of Economics
       and Statistics 98(4), 701-712.
    .. [4] Miller (2024). Adding error bars to evals. arXiv:2411.00640. (Clustered standard errors for benchmarks.)

    Examples
    --------
    >>> right = [1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    >>> passage = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d"]
    >>> mean = cluster_mean(right, passage)
    >>> round(mean.standard_error, 4), round(mean.degrees_of_freedom, 4)
    (0.1596, 3.0)
    >>> round(cluster_mean(right).standard_error, 4)
    0.1486
    """
    array = check_values("values", values)
    n = array.size
    if n == 0:
        return ClusterMean(None, None, None, n=0, n_clusters=0, effective_clusters=0.0, reason="no samples")
    totals, sizes = cluster_sums(array, clusters)
    count = sizes.size
    unit = "samples" if clusters is None else "clusters"
    mean = float(array.mean())
    effective = n**2 / float(sizes @ sizes)
    if count < 2:
        reason = f"1 {unit[:-1]}: the variance between {unit} needs at least 2"
        return ClusterMean(mean, None, None, n=n, n_clusters=count, effective_clusters=effective, reason=reason)

    residuals = totals - sizes * mean
    shares = sizes / n
    working = sizes * (1.0 + (sizes - 1.0) * _intraclass_correlation(array, residuals, sizes))
    total = float(working.sum())
    weights = working / (working * (1.0 - 2.0 * shares) + shares**2 * total)
    error = math.sqrt(float(weights @ residuals**2)) / n
    if error <= 1e-12 * float(np.abs(array).max()):
        reason = f"all {count} {unit} agree exactly: their variance cannot be estimated"
        return ClusterMean(mean, None, None, n=n, n_clusters=count, effective_clusters=effective, reason=reason)

    # The residual sums' covariance is a diagonal plus a matrix of rank two, so the trace of its square needs no G x G
    # matrix.
    basis = np.column_stack([shares, working])
    core = np.array([[total, -1.0], [-1.0, 0.0]])
    inner = (basis.T * weights) @ basis @ core
    crossed = core @ (basis.T * (weights**2 * working)) @ basis
    squared = float((weights * working) @ (weights * working)) + 2.0 * np.trace(crossed) + np.trace(inner @ inner)
    # The weights are scaled so that the trace itself is the working variances' sum.
    freedom = min(total**2 / float(squared), _telling(array, clusters, sizes) - 1.0)
    if freedom < 1.0:
        reason = f"fewer than two of {count} clusters differ from what most samples say: too few to estimate a variance"
        return ClusterMean(mean, error, None, n=n, n_clusters=count, effective_clusters=effective, reason=reason)
    return ClusterMean(mean, error, freedom, n=n, n_clusters=count, effective_clusters=effective)


def _telling(values: NDArray[np.float64], clusters: ArrayLike | None, sizes: NDArray[np.float64]) -> float:
    """How many equal clusters would say as much of what differs from the value of most samples; infinite if none is."""
    if clusters is None or sizes.max() < 2.0:
        return math.inf
    found, times = np.unique(values, return_counts=True)
    most = 2.0 * times.max() / values.size - 1.0
    if most <= 0.0:
        return math.inf
    apart, _ = cluster_sums(np.abs(values - found[times.argmax()]), clusters)
    concentrated = most * float(apart[sizes > 1.0] @ apart[sizes > 1.0])
    return float(apart.sum()) ** 2 / concentrated if concentrated > 0.0 else math.inf


def _intraclass_correlation(
    values: NDArray[np.float64], residuals: NDArray[np.float64], sizes: NDArray[np.float64]
) -> float:
    """The analysis-of-variance estimate of the correlation within clusters, within [0, 1]; 0 for single samples."""
    n, count = values.size, sizes.size
    if count == n:
        return 0.0
    between = float((residuals**2 / sizes).sum())
    within = max(0.0, float(((values - values.mean()) ** 2).sum()) - between) / (n - count)
    between /= count - 1
    size = (n - float(sizes @ sizes) / n) / (count - 1)
    spread = between + (size - 1.0) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0.0 else 0.0


def design_effect(values: ArrayLike, clusters: ArrayLike) -> float | None:
    """Variance of a clustered mean over what it would be if the same samples were independent (Kish).

    Parameters
    ----------
    values
        One finite value a sample, shape (n,): outcomes, or paired differences for a comparison's design effect.
    clusters
        One label a sample, shape (n,).

    Returns
    -------
    float or None
        Around 1 if clusters do not matter; None if either variance cannot be estimated.

    Raises
    ------
    ValueError
        If a value or a label is missing, or their numbers differ.

    References
    ----------
    .. [1] Kish (1965). Survey Sampling, section 8.2.

    Examples
    --------
    >>> right = [1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    >>> round(design_effect(right, ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d"]), 3)
    1.152
    """
    clustered, independent = cluster_mean(values, clusters), cluster_mean(values)
    if clustered.standard_error is None or independent.standard_error is None:
        return None
    return (clustered.standard_error / independent.standard_error) ** 2
