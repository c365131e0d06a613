// SPDX-License-Identifier: BSD-2-Clause
//
// Eigen's dense and sparse products. Compiled once for each instruction set (BENCH_EIGEN is then the suffix of the
// names), under a namespace of its own, so that the linker does not mix them.
#include "peer_eigen.h"

#include <Eigen/Core>
#include <Eigen/SparseCore>

namespace
{

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<float, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;

template <class Weights> struct State {
    Weights w;
    Eigen::Index n;
    int layout;
};

void set_threads(const peer_product *p)
{
    Eigen::setNbThreads(p->threads);
}

void *prepare_dense(const peer_product *p)
{
    set_threads(p);
    return new State<Matrix>{Eigen::Map<const Matrix>(p->w, p->m, p->k), p->n, p->layout};
}

void *prepare_sparse(const peer_product *p)
{
    set_threads(p);
    auto *state = new State<Sparse>{Sparse(p->m, p->k), p->n, p->layout};
    std::vector<Eigen::Triplet<float>> entries;
    for (int64_t r = 0; r < p->m; r++)
        for (int64_t i = p->row_start[r]; i < p->row_start[r + 1]; i++)
            entries.emplace_back(int(r), p->column[i], p->value[i]);
    state->w.setFromTriplets(entries.begin(), entries.end());
    return state;
}

template <class Weights> void run(void *pointer, float *y, const float *x)
{
    const auto *s = static_cast<State<Weights> *>(pointer);
    const Eigen::Index m = s->w.rows(), k = s->w.cols(), n = s->n;
    if (n == 1)
        Eigen::Map<Vector>(y, m).noalias() = s->w * Eigen::Map<const Vector>(x, k);
    else if (s->layout == 0)
        Eigen::Map<Matrix>(y, m, n).noalias() = s->w * Eigen::Map<const Matrix>(x, k, n);
    else
        // What lies in memory as n x m by rows is m x n by columns.
        Eigen::Map<Eigen::MatrixXf>(y, m, n).noalias() = s->w * Eigen::Map<const Eigen::MatrixXf>(x, k, n);
}

template <class Weights> void release(void *pointer)
{
    delete static_cast<State<Weights> *>(pointer);
}

} // namespace

extern "C" const eigen_functions BENCH_EIGEN = {prepare_dense,  run<Matrix>, release<Matrix>,
                                                prepare_sparse, run<Sparse>, release<Sparse>};
