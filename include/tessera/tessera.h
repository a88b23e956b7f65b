/* Tessera: matrix multiplication and attention with the same bits everywhere.
 *
 * Copyright (c) 2026 The Tessera authors. SPDX-License-Identifier: BSD-3-Clause
 *
 * Thread safety: every function may be called from any thread at any time, unless its comment says otherwise.
 * Errors: functions return a tsr_status; when it is not TSR_OK, no output has been written. */
#ifndef TESSERA_H
#define TESSERA_H

#include <stddef.h>
#include <stdint.h>

#define TSR_VERSION_MAJOR 0
#define TSR_VERSION_MINOR 1
#define TSR_VERSION_PATCH 0

#if defined(__GNUC__)
#define TSR_API __attribute__((visibility("default")))
#else
#define TSR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tsr_status {
  TSR_OK = 0,
  TSR_INVALID_ARGUMENT, /* a size, stride, pointer or enum is not acceptable: tsr_last_error() names it */
  TSR_UNSUPPORTED,      /* a valid request that no kernel of this build serves */
  TSR_OUT_OF_MEMORY,    /* scratch memory could not be had */
  TSR_BAD_ENVIRONMENT,  /* an environment variable holds a value that is not understood */
  TSR_DEVICE_FAULT,     /* a device stopped: tsr_last_error() says which core, instruction and why */
  TSR_IO_ERROR,         /* a file could not be read or written: tsr_last_error() says which and why */
} tsr_status;

/* f16 is IEEE binary16, bf16 the upper half of an f32, s8 and s32 signed integers, u8 unsigned ones. q8_0 and q4_0 are
 * blocks of 32 numbers as in ggml (an f16 scale, then 32 signed bytes, or 16 bytes of nibbles with an offset of 8: element e in the low half
 * of byte e, element e + 16 in the high half). bool is a byte that is 0 or not. */
typedef enum tsr_type {
  TSR_F32 = 1, TSR_F64 = 2, TSR_F16 = 3, TSR_BF16 = 4, TSR_S8 = 5, TSR_S32 = 6, TSR_Q8_0 = 7, TSR_Q4_0 = 8, TSR_BOOL = 9,
  TSR_U8 = 10,
  TSR_C32 = 11, TSR_C64 = 12 /* complex: a real and an imaginary part of f32 or f64 */
} tsr_type;

/* How a matrix lies in memory: TSR_ROW_MAJOR means element (i, j) is at i * ld + j. */
typedef enum tsr_order { TSR_ROW_MAJOR = 101, TSR_COL_MAJOR = 102 } tsr_order;
typedef enum tsr_trans { TSR_NO_TRANS = 111, TSR_TRANS = 112, TSR_CONJ_TRANS = 113 } tsr_trans; /* of real: TRANS */

/* What can follow a convolution or product, fused into its last block. gelu is x times the normal distribution function;
 * gelu_tanh its approximation by tanh; silu is x * sigmoid(x). */
typedef enum tsr_activation {
  TSR_NO_ACTIVATION = 0, TSR_RELU, TSR_CLIP, TSR_LEAKY_RELU, TSR_GELU, TSR_GELU_TANH, TSR_SILU, TSR_TANH, TSR_SIGMOID
} tsr_activation;

/* An opaque set of kernels, a thread count and the scratch memory that goes with them. NULL stands for the default
 * context everywhere: the best kernels of this CPU and the process-wide thread count. */
typedef struct tsr_context tsr_context;

/* A short English sentence for a status; never NULL. */
TSR_API const char *tsr_status_string(tsr_status status);

/* What was wrong in the calling thread's last failed call: which argument, its value, what to do. "" if none failed. */
TSR_API const char *tsr_last_error(void);

/* "major.minor.patch" of the library that is loaded. */
TSR_API const char *tsr_version(void);

/* Creates a context. `isa` is NULL for the best kernels this CPU can run, or a name as in TESSERA_ISA ("generic",
 * "avx2", "avx512", "sve") to ask for a lower one. Fails with TSR_INVALID_ARGUMENT for an unknown name and
 * TSR_UNSUPPORTED for one this CPU or build lacks. "accel:910b", "accel:310p" or "accel:./my.chip" opens a simulated
 * accelerator of that model, with memory of its own (see "Devices"); an unknown model lists the valid ones. Destroy a
 * context when no call uses it any more; what was allocated on its device goes with it. Calls on a destroyed context
 * are undefined on a CPU and fail on a device. */
TSR_API tsr_status tsr_context_create(const char *isa, tsr_context **context);
TSR_API void tsr_context_destroy(tsr_context *context);

/* The most threads a call on this context uses: n >= 1 (more than 512 count as 512), or 0 to return to the default
 * (TESSERA_NUM_THREADS, then OMP_NUM_THREADS, then the CPUs that the affinity mask and the cgroup quota allow). With
 * context == NULL the process-wide number. Small calls use fewer. Results do not depend on it. */
TSR_API tsr_status tsr_set_num_threads(tsr_context *context, int n);
TSR_API int tsr_get_num_threads(const tsr_context *context);

/* The name of the kernels a context uses, e.g. "avx512". */
TSR_API const char *tsr_context_isa(const tsr_context *context);

/* Gives the calling thread's scratch memory, and that of idle pool threads, back to the system. */
TSR_API void tsr_release(void);

/* A caller's own parallel-for: run body(arg, 0) ... body(arg, n - 1), each exactly once, in any order and on any
 * threads, and return when all have ended. The bodies may wait for one another only if `concurrent` is not 0, in
 * which case all n must be running at once. */
typedef void (*tsr_parallel_body)(void *arg, int index);
typedef void (*tsr_parallel_for)(void *user, int n, int concurrent, tsr_parallel_body body, void *arg);

/* Lets `parallel` run this context's parallel loops instead of Tessera's pool; NULL returns to the pool. Not to be
 * called while calls on the context are running. */
TSR_API tsr_status tsr_set_parallel_for(tsr_context *context, tsr_parallel_for parallel, void *user);

/* A parallel-for on the OpenMP threads of the program, which spin for a while after the program's own regions and would
 * be in the way of other threads. `user` is the address of GOMP_parallel in the program's OpenMP runtime (GCC's, LLVM's
 * and Intel's have it): dlsym finds it, so callers in any language can pass both to tsr_set_parallel_for. The runtime
 * must give n threads to a region that asks for them: omp_get_dynamic() is 0 and omp_get_thread_limit() no less. */
TSR_API void tsr_openmp_parallel_for(void *user, int n, int concurrent, tsr_parallel_body body, void *arg);

/* Devices. A context on a device ("accel:...") computes on operands in the device's memory. An address there is passed
 * like a pointer but means nothing to the host. Calls on such a context are queued and return at once; what goes wrong
 * while they run is the status of the next tsr_synchronize, copy or free, and ends everything that was queued. A
 * context on a device is to be used by one thread at a time. On other contexts these functions fail with
 * TSR_UNSUPPORTED. */
TSR_API tsr_status tsr_device_alloc(tsr_context *context, size_t bytes, void **address);
TSR_API tsr_status tsr_device_free(tsr_context *context, void *address);
TSR_API tsr_status tsr_copy_to_device(tsr_context *context, void *to, const void *from, size_t bytes);
TSR_API tsr_status tsr_copy_from_device(tsr_context *context, void *to, const void *from, size_t bytes);

/* Waits until everything queued on the device has run. */
TSR_API tsr_status tsr_synchronize(tsr_context *context);

/* A point in what is queued. Recording marks the end of all calls made so far; the seconds between two recorded events
 * are the device's own time (simulated, for a simulated device), known after tsr_synchronize. */
typedef struct tsr_event tsr_event;
TSR_API tsr_status tsr_event_create(tsr_context *context, tsr_event **event);
TSR_API void tsr_event_destroy(tsr_event *event);
TSR_API tsr_status tsr_event_record(tsr_event *event);
TSR_API tsr_status tsr_event_seconds(const tsr_event *from, const tsr_event *to, double *seconds);

/* C = alpha * op(A) * op(B) + beta * C.
 *
 * op(A) is m x k, op(B) is k x n, C is m x n; A, B and C all have the order `order`. lda, ldb and ldc are in
 * elements and at least the length of a row (row-major) or column (column-major) of the matrix as stored; never
 * less than 1. m, n and k may be 0. On a CPU all are f32, f64, c32 or c64, or A and B f16 or bf16 and C the same or f32,
 * or A and B s8 and C s32 (f32, s8 or u8 with alpha 1 and beta 0). On a device A and B are f16 or bf16 and C is f32
 * or their type, or A and B are s8 and C is s32 (type_c). alpha and beta are rounded to f32, f64 or, for s32, must be
 * integers.
 * C must not overlap A or B. Pointers may be aligned to their type only by habit: any address works.
 *
 * The result is defined bit for bit, whatever the machine, threads, strides and neighbours (KB = 384 for f32, 256
 * for f64, 4096 for f16 and bf16, which are converted to f32 exactly and whose C is rounded once, at the end; s32 is
 * exact modulo 2^32):
 *     y = beta == 0 ? 0 : beta * c                     C is not read when beta == 0
 *     if alpha != 0:                                   A and B are not read when alpha == 0
 *         for each block of KB consecutive k:
 *             s = 0;  s = fma(a[i][p], b[p][j], s) in order of p;  y = fma(alpha, s, y)
 *     if bias: y began with bias[j] + 0, and beta must be 0;  then post: y * scale[j], y + add[i][j], the activation
 *     c = y
 * Of complex numbers (KB = 384 for c32, 256 for c64) the four sums of products of parts are chains of their own:
 * s = (rr - ii) + (ri + ir) i, with the signs that conjugates ask for; y + alpha * s begins with the real part of alpha,
 * and an imaginary part of alpha or beta that is 0 takes no part.
 * Method: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34 (2008);
 * F. Van Zee and R. van de Geijn, "BLIS", ACM TOMS 41 (2015). */
typedef struct tsr_gemm_desc {
  size_t size; /* sizeof(tsr_gemm_desc): set by TSR_GEMM_DESC */
  tsr_type type;
  tsr_order order;
  tsr_trans trans_a, trans_b;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  double alpha, beta;
  tsr_type type_c; /* of C; 0 = that of A and B, s32 for s8 */
  const char *plan; /* NULL, or how to compute, in words: see "Plans" */
  const void *bias; /* NULL, or what y begins with instead of beta * c: an element for each column of C, f32 or f64 */
  const struct tsr_post_ops *post; /* NULL, or what follows (tessera/conv.h): scales of columns, add laid out like C */
  double alpha_im, beta_im;        /* imaginary parts, of complex types */
} tsr_gemm_desc;

#define TSR_GEMM_DESC                                                                                         \
  { sizeof(tsr_gemm_desc), TSR_F32, TSR_ROW_MAJOR, TSR_NO_TRANS, TSR_NO_TRANS, 0, 0, 0, 0, 0, 0, 1.0, 0.0, \
    (tsr_type)0, NULL, NULL, NULL, 0.0, 0.0 }

/* Plans. How a product is computed (path, tile, blocks, packing, threads) changes its speed and never its bits. A call
 * takes, in this order: desc->plan; the row of the user's tuning database for this shape ($TESSERA_DB, else
 * tessera/tune.db under $XDG_CACHE_HOME or ~/.cache); a row shipped with the library; what the cost model predicts to
 * be fastest. TESSERA_TUNE=off ignores the user's database, read (the default) reads it once, write also measures and
 * records shapes as they are called. A plan in words is a list such as "path=packed mc=192 nc=512 pack=ab threads=2":
 * fields that are not named are chosen by rule. doc/tuning.md lists them. A plan that is not possible for the product
 * fails with TSR_INVALID_ARGUMENT and says why. */

TSR_API tsr_status tsr_gemm(tsr_context *context, const tsr_gemm_desc *desc, const void *a, const void *b, void *c);

/* B packed once, many products: b, desc->bias and post->scale are copied and may go; no run allocates memory. desc->m is
 * the most rows of A and C that a run brings; post->add only says by not being NULL that runs bring one. The bits are
 * those of tsr_gemm. A plan is made for a number of threads and may be used by several callers at once if each brings a
 * workspace, of as many bytes as tsr_gemm_plan_workspace says, aligned to 64. CPU contexts only. */
typedef struct tsr_gemm_plan tsr_gemm_plan;
TSR_API tsr_status tsr_gemm_plan_create(tsr_context *context, const tsr_gemm_desc *desc, const void *b,
                                        tsr_gemm_plan **plan);
TSR_API void tsr_gemm_plan_destroy(tsr_gemm_plan *plan);
TSR_API size_t tsr_gemm_plan_workspace(const tsr_gemm_plan *plan);
TSR_API tsr_status tsr_gemm_run(const tsr_gemm_plan *plan, int64_t m, const void *a, const void *add, void *c,
                                void *workspace);

/* `batch` independent products of one shape. Matrix number i is at a + i * stride_a elements (strided), or at a[i]
 * (pointer array). Stride 0 shares one A or B among all and strides may be negative; stride_c must keep the C matrices
 * apart. Each product has the bits that tsr_gemm alone would give. */
TSR_API tsr_status tsr_gemm_batch_strided(tsr_context *context, const tsr_gemm_desc *desc, int64_t batch,
                                          const void *a, int64_t stride_a, const void *b, int64_t stride_b,
                                          void *c, int64_t stride_c);
TSR_API tsr_status tsr_gemm_batch(tsr_context *context, const tsr_gemm_desc *desc, int64_t batch,
                                  const void *const *a, const void *const *b, void *const *c);

/* Tuning: measures the most promising plans for one shape on this machine, on operands of its own, and records the
 * fastest in the user's database, where calls of any process find it. It uses as many threads as a call would, and the
 * machine should be otherwise idle. Method: ranking by a cost model, successive halving, and a verdict on fresh samples
 * (doc/tuning.md). */
typedef struct tsr_tune_options {
  size_t size;      /* sizeof(tsr_tune_options): set by TSR_TUNE_OPTIONS */
  double seconds;   /* the most seconds to measure; 0 = no limit */
  int measurements; /* the most plans to measure; 0 = 12 */
  int dry_run;      /* not 0: record nothing */
} tsr_tune_options;
#define TSR_TUNE_OPTIONS { sizeof(tsr_tune_options), 0, 0, 0 }

typedef struct tsr_tune_result {
  double before, after; /* seconds of the plan that calls took so far, and of the one they take now */
  double spread;        /* of `after`: the distance of its quartiles, as a share of it */
  int improved;         /* 1: another plan beat the former one by more than the noise */
  int measured, runs;   /* plans, and runs of them */
  char plan[256];       /* in words, as desc->plan takes them */
} tsr_tune_result;

/* Tunes the product that desc describes; desc->plan is ignored. options and result may be NULL. Fails with
 * TSR_OUT_OF_MEMORY when its operands do not fit memory, TSR_UNSUPPORTED without SQLite and TSR_IO_ERROR when the
 * database cannot be written (the result is set, and this process uses it). Takes from milliseconds to seconds. */
TSR_API tsr_status tsr_gemm_tune(tsr_context *context, const tsr_gemm_desc *desc, const tsr_tune_options *options,
                                 tsr_tune_result *result);

/* The same for any operator and a shape in words, as `tessera explain` prints them: "gemm",
 * "type=f32 m=512 n=512 k=512 a=n b=n threads=2". */
TSR_API tsr_status tsr_tune(tsr_context *context, const char *operator_name, const char *shape,
                            const tsr_tune_options *options, tsr_tune_result *result);

#ifdef __cplusplus
}
#endif

#include "tessera/attention.h"
#include "tessera/conv.h"

#endif
