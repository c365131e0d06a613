/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Context: where memory comes from, how many threads may work, which instructions may be used, whom to tell.
 *
 * Only constructors that make an object out of nothing take a context; what is derived from an object inherits it.
 * NULL stands for built-in constants wherever a context is taken: malloc, one thread, every instruction set that this
 * CPU has, no log, no progress. There is no other state in the library, nothing to initialise and nothing to free.
 *
 * A context is set up by one thread, then fixed: once an object was made with it, every setter is refused. From then on
 * any number of threads may use it. Objects keep it alive: freeing it drops the caller's reference only.
 */
#ifndef PRUNE_CONTEXT_H
#define PRUNE_CONTEXT_H

#include <stdint.h>

#include "prune/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_context prune_context;

/* `alloc` returns `size` bytes aligned to `align` (a power of two, 8 to 4096), or NULL; `size` is never 0. `release`
 * gets back what `alloc` returned and its size, never NULL. Both may be called from any thread that runs the library.
 */
typedef void *(*prune_alloc_fn)(void *user, uint64_t size, uint64_t align);
typedef void (*prune_release_fn)(void *user, void *pointer, uint64_t size);

/* One of `tasks` pieces of work, numbered from 0. */
typedef void (*prune_task_fn)(void *argument, int32_t index);

/* Runs `task(argument, i)` for every i in 0..tasks-1, in any order, on any threads, each exactly once, and returns when
 * all are done. */
typedef void (*prune_executor_fn)(void *user, int32_t tasks, prune_task_fn task, void *argument);

#define PRUNE_LOG_INFO 1
#define PRUNE_LOG_WARNING 2
typedef void (*prune_log_fn)(void *user, int32_t level, const char *sentence);

/* Called on the thread that called the library, never after that call returned. `done` of `total` units of `what`. A
 * non-zero result stops the work, which then returns PRUNE_E_CANCELLED. It must not call back with objects in use. */
typedef int32_t (*prune_progress_fn)(void *user, const char *what, int64_t done, int64_t total);

/* Instruction sets, as bits of a CPU mask. 0 is plain C, which every CPU runs and which defines what is right. */
#define PRUNE_CPU_SCALAR 0
#define PRUNE_CPU_AVX2 1   /* AVX2, FMA and F16C */
#define PRUNE_CPU_AVX512 2 /* AVX-512 F, BW, DQ and VL, on top of AVX2 */
#define PRUNE_CPU_NEON 4   /* Advanced SIMD of 64-bit Arm */
/* Added to these bits: reproducible products of packed objects. Each sum is one chain of fused multiply-adds from +0.0,
 * by ascending columns of W (products with W': by ascending rows, where W' was packed as well; otherwise in the order
 * in which the form stores W): the same bits for any batch split, any number of columns that the object was made for,
 * any instruction set and number of threads. Forms and kernels that sum in another order are left out. */
#define PRUNE_CPU_REPRODUCIBLE 65536

/* Makes a context with the built-in settings; PRUNE_E_NOMEM. */
PRUNE_API int32_t prune_context_create(prune_context **out);
PRUNE_API void prune_context_free(prune_context *context);

/* Where every object of this context takes its memory from (the context itself excepted). Both functions or neither. */
PRUNE_API int32_t prune_context_set_allocator(prune_context *context, prune_alloc_fn alloc, prune_release_fn release,
                                              void *user);

/* How many threads one call may use: 1 (the default) to 256. The threads are the library's own, made at the first call
 * that can use them and joined when the context goes; they look for more work for about 0.1 ms before they sleep, and
 * on Linux keep off the CPU that the caller runs on; where one cannot be made, fewer work. Results have the same bits
 * for any number. */
PRUNE_API int32_t prune_context_set_threads(prune_context *context, int32_t threads);

/* Lends the host's threads instead: work is cut into `threads` pieces and handed to `executor`. */
PRUNE_API int32_t prune_context_set_executor(prune_context *context, prune_executor_fn executor, void *user,
                                             int32_t threads);

/* Restricts the kernels to these PRUNE_CPU_* bits; PRUNE_E_UNSUPPORTED when the CPU lacks one of them.
 * `prune_cpu_detect() | PRUNE_CPU_REPRODUCIBLE` is all that the CPU has, reproducibly. */
PRUNE_API int32_t prune_context_set_cpu(prune_context *context, uint32_t mask);

/* Whom to tell; NULL (the default) for nobody. */
PRUNE_API int32_t prune_context_set_log(prune_context *context, prune_log_fn log, void *user);
PRUNE_API int32_t prune_context_set_progress(prune_context *context, prune_progress_fn progress, void *user);

/* What this CPU has, as PRUNE_CPU_* bits. */
PRUNE_API uint32_t prune_cpu_detect(void);

/* What kernels under this context (NULL allowed) use: the mask that was set, or prune_cpu_detect(). */
PRUNE_API uint32_t prune_context_cpu(const prune_context *context);
PRUNE_API int32_t prune_context_threads(const prune_context *context);

/* For callbacks, bindings and libraries built on this one: memory of the context, `size` bytes aligned to 64,
 * uninitialised; NULL when there is none (the sentence says how much was asked for). A size of 0 counts as 1. */
PRUNE_API void *prune_context_alloc(prune_context *context, uint64_t size);
PRUNE_API void prune_context_release(prune_context *context, void *pointer);

/* One more owner of a context, who will call prune_context_free; NULL allowed. Fixes the context. */
PRUNE_API prune_context *prune_context_retain(prune_context *context);

/* Runs `task` as prune_executor_fn does, over the context's threads or the host's. */
PRUNE_API void prune_context_parallel(prune_context *context, int32_t tasks, prune_task_fn task, void *argument);

/* Calls the context's progress function, if any: PRUNE_OK, or PRUNE_E_CANCELLED when it asked to stop. */
PRUNE_API int32_t prune_context_progress(prune_context *context, const char *what, int64_t done, int64_t total);
PRUNE_API void prune_context_log(prune_context *context, int32_t level, const char *sentence);

#ifdef __cplusplus
}
#endif
#endif
