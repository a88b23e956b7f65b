/* LAPACK's routines: what they compute against bounds of rounding errors, whatever the size, shape, threads and
 * neighbours; what they say of singular matrices and bad arguments; and that pivots are those of the reference. */
#include "lapack_case.h"

#include <dlfcn.h>
#include <math.h>

#include "tessera/tessera.h"

/* Takes the library's place: what the last bad argument was. */
static char reported[32];
static int reported_parameter;
__attribute__((visibility("default"))) void xerbla_(const char *name, const int *info, size_t length) {
  snprintf(reported, sizeof reported, "%.*s", (int)length, name);
  reported_parameter = *info;
}

static const int large_sizes[] = {64, 65, 100, 127, 200, 257, 500, 1000};
#define SMALL 51
#define LARGE (sizeof large_sizes / sizeof large_sizes[0])
static int size_number(size_t i) { return i < SMALL ? (int)i : large_sizes[i - SMALL]; }

/* A random vector, to ask a matrix by: an element that is wrong shows in its row. */
struct probe {
  number *v, *w;
  double *v_size, *w_size;
};
static struct probe probe_new(int n, bool is_complex) {
  size_t room = (size_t)n + 1;
  struct probe p = {calloc(room, sizeof(number)), calloc(room, sizeof(number)), calloc(room, sizeof(double)),
                    calloc(room, sizeof(double))};
  for (int i = 0; i < n; i++) {
    double re = random_number();
    p.v[i] = is_complex ? CMPLX(re, random_number()) : re;
    p.v_size[i] = cabs(p.v[i]);
  }
  return p;
}
static void probe_free(struct probe *p) {
  free(p->v);
  free(p->w);
  free(p->v_size);
  free(p->w_size);
}
/* v = X v. */
static void probe_by(struct probe *p, struct operand x, int m, int n) {
  multiply(x, m, n, p->v, p->v_size, p->w, p->w_size);
  struct probe turned = {p->w, p->v, p->w_size, p->v_size};
  *p = turned;
}
static struct probe probe_copy(const struct probe *p, int n) {
  struct probe q = probe_new(n, false);
  memcpy(q.v, p->v, (size_t)n * sizeof(number));
  memcpy(q.v_size, p->v_size, (size_t)n * sizeof(double));
  return q;
}
/* Whether v of one equals v of the other within `factor` roundings a term of the sums of sizes of the second. */
static void expect_near(const struct probe *p, const struct probe *q, int m, double factor, const struct kind *kind,
                        const char *what, int n) {
  for (int i = 0; i < m; i++) {
    double off = cabs(p->v[i] - q->v[i]), most = factor * kind->eps * q->v_size[i];
    if (!(off <= most)) fail_msg("%s%s n = %d: row %d is off by %g, more than %g", kind->name, what, n, i, off, most);
  }
}

/* --- LU --- */

/* Rows of v change places as the pivots say. */
static void exchange(number *v, double *sizes, const int *pivots, int n) {
  for (int i = 0; i < n; i++) {
    int with = pivots[i] - 1;
    number kept = v[i];
    double kept_size = sizes[i];
    v[i] = v[with], v[with] = kept;
    sizes[i] = sizes[with], sizes[with] = kept_size;
  }
}

static void check_lu(const struct kind *kind, int m, int n, int ld, bool front) {
  struct matrix a = matrix_new(kind, m, n, ld, front);
  int least = m < n ? m : n, info = -7, *pivots = calloc((size_t)least + 1, sizeof(int));
  fill_random(&a);
  struct matrix lu = copy_of(&a);
  memcpy(lu.at, a.at, a.bytes);
  kind->getrf(&m, &n, lu.at, &ld, pivots, &info);
  assert_int_equal(info, 0);
  for (int i = 0; i < least; i++) assert_true(pivots[i] > i && pivots[i] <= m);
  for (int j = 0; j < least; j++)
    for (int i = j + 1; i < m; i++)
      assert_true(fabs(creal(get(&lu, i, j))) + fabs(cimag(get(&lu, i, j))) <= (kind->is_complex ? 2.000001 : 1.000001));
  struct probe p = probe_new(m > n ? m : n, kind->is_complex), q = probe_copy(&p, m > n ? m : n);
  probe_by(&p, (struct operand){&a, WHOLE, 'N'}, m, n);
  exchange(p.v, p.v_size, pivots, least);
  probe_by(&q, (struct operand){&lu, UPPER, 'N'}, least, n);
  probe_by(&q, (struct operand){&lu, UNIT_LOWER, 'N'}, m, least);
  expect_near(&p, &q, m, (least + 4) * (kind->is_complex ? 4 : 2), kind, "getrf", least);
  probe_free(&p);
  probe_free(&q);
  matrix_free(&a);
  matrix_free(&lu);
  free(pivots);
}

static void lu(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    for (size_t i = 1; i < SMALL + LARGE; i++) {
      int n = size_number(i);
      check_lu(&kinds[k], n, n, n + (int)(i % 3), i % 2);
    }
    static const int shapes[][2] = {{1, 9}, {9, 1}, {5, 40}, {40, 5}, {8, 100}, {100, 8}, {33, 257}, {257, 33},
                                    {1500, 17}, {17, 1500}, {700, 300}, {300, 700}, {3000, 64}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
      check_lu(&kinds[k], shapes[i][0], shapes[i][1], shapes[i][0] + (int)(i % 2) * 3, i % 2);
  }
}

/* --- Positive definite matrices and triangles --- */

/* The triangle asked for of a positive definite matrix, n on its diagonal; the other half is NaN, which must remain. */
static void fill_definite(const struct matrix *a, char uplo) {
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->n; i++) {
      bool stored = uplo == 'L' ? i >= j : i <= j;
      put(a, i, j, i == j ? a->n + 1 + random_number() : stored ? random_element(a->kind) : CMPLX(NAN, NAN));
    }
}
/* A triangle that is not near to singular, in the same way. */
static void fill_triangle(const struct matrix *a, char uplo, bool unit) {
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->n; i++) {
      bool stored = uplo == 'L' ? i > j : i < j;
      number small = 2 * random_element(a->kind) / (a->n + 1);
      put(a, i, j, i == j && !unit ? 1.5 + random_number() / 2 : stored ? small : CMPLX(NAN, NAN));
    }
}
static void expect_other_half_kept(const struct matrix *a, char uplo, bool unit) {
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->n; i++)
      if (i == j ? unit : uplo == 'L' ? i < j : i > j) assert_true(isnan(creal(get(a, i, j))));
}
/* The whole matrix that a stored triangle means. */
static struct matrix whole_of(const struct matrix *a, char uplo) {
  struct matrix w = matrix_new(a->kind, a->n, a->n, a->n, false);
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->n; i++) {
      bool stored = uplo == 'L' ? i >= j : i <= j;
      put(&w, i, j, stored ? get(a, i, j) : conj(get(a, j, i)));
    }
  return w;
}

static void check_cholesky(const struct kind *kind, char uplo, int n, int ld, bool front) {
  struct matrix a = matrix_new(kind, n, n, ld, front), b = matrix_new(kind, n, 3, n + 1, front);
  int info = -7, three = 3, ldb = n + 1;
  enum view half = uplo == 'L' ? LOWER : UPPER;
  fill_definite(&a, uplo);
  fill_random(&b);
  struct matrix f = copy_of(&a), x = copy_of(&b), whole = whole_of(&a, uplo);
  kind->potrf(&uplo, &n, f.at, &ld, &info, (size_t)1);
  assert_int_equal(info, 0);
  expect_other_half_kept(&f, uplo, false);
  for (int i = 0; i < n; i++) assert_true(cimag(get(&f, i, i)) == 0 && creal(get(&f, i, i)) > 0);
  struct probe p = probe_new(n, kind->is_complex), q = probe_copy(&p, n);
  probe_by(&p, (struct operand){&whole, WHOLE, 'N'}, n, n);
  probe_by(&q, (struct operand){&f, half, uplo == 'L' ? 'C' : 'N'}, n, n);
  probe_by(&q, (struct operand){&f, half, uplo == 'L' ? 'N' : 'C'}, n, n);
  expect_near(&p, &q, n, (n + 4) * (kind->is_complex ? 4 : 2), kind, "potrf", n);
  probe_free(&q);

  kind->potrs(&uplo, &n, &three, f.at, &ld, x.at, &ldb, &info, (size_t)1); /* A X = B */
  assert_int_equal(info, 0);
  for (int j = 0; j < 3; j++) {
    struct probe r = probe_new(n, false), s = probe_new(n, false);
    for (int i = 0; i < n; i++) r.v[i] = get(&x, i, j), r.v_size[i] = cabs(r.v[i]), s.v[i] = get(&b, i, j);
    probe_by(&r, (struct operand){&whole, WHOLE, 'N'}, n, n);
    expect_near(&s, &r, n, 8 * (n + 4), kind, "potrs", n);
    probe_free(&r);
    probe_free(&s);
  }

  kind->potri(&uplo, &n, f.at, &ld, &info, (size_t)1); /* the inverse of A times A v is v */
  assert_int_equal(info, 0);
  expect_other_half_kept(&f, uplo, false);
  struct matrix inverse = whole_of(&f, uplo);
  struct probe v = probe_new(n, kind->is_complex), u = probe_copy(&v, n);
  probe_by(&v, (struct operand){&whole, WHOLE, 'N'}, n, n);
  probe_by(&v, (struct operand){&inverse, WHOLE, 'N'}, n, n);
  expect_near(&u, &v, n, 8 * (n + 4), kind, "potri", n);
  probe_free(&u);
  probe_free(&v);
  probe_free(&p);
  matrix_free(&inverse);
  matrix_free(&whole);
  matrix_free(&f);
  matrix_free(&x);
  matrix_free(&a);
  matrix_free(&b);
}

static void cholesky(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++)
    for (size_t i = 1; i < SMALL + LARGE; i++) {
      int n = size_number(i);
      check_cholesky(&kinds[k], 'L', n, n + (int)(i % 3), i % 2);
      check_cholesky(&kinds[k], 'U', n, n + (int)(i % 2), i % 3 == 0);
    }
}

static void check_triangle(const struct kind *kind, char uplo, bool unit, int n, int ld, bool front) {
  struct matrix a = matrix_new(kind, n, n, ld, front);
  int info = -7;
  enum view half = uplo == 'L' ? unit ? UNIT_LOWER : LOWER : unit ? UNIT_UPPER : UPPER;
  fill_triangle(&a, uplo, unit);
  struct matrix t = copy_of(&a);
  kind->trtri(&uplo, unit ? "U" : "N", &n, t.at, &ld, &info, (size_t)1, (size_t)1);
  assert_int_equal(info, 0);
  expect_other_half_kept(&t, uplo, unit);
  struct probe p = probe_new(n, kind->is_complex), q = probe_copy(&p, n);
  probe_by(&p, (struct operand){&a, half, 'N'}, n, n);
  probe_by(&p, (struct operand){&t, half, 'N'}, n, n);
  expect_near(&q, &p, n, 4 * (n + 4), kind, "trtri", n);
  probe_free(&p);
  if (!unit) { /* and the product of the triangle with its transpose */
    struct probe r = probe_copy(&q, n);
    struct matrix square = copy_of(&a);
    kind->lauum(&uplo, &n, square.at, &ld, &info, (size_t)1);
    assert_int_equal(info, 0);
    expect_other_half_kept(&square, uplo, false);
    struct matrix whole = whole_of(&square, uplo);
    probe_by(&r, (struct operand){&whole, WHOLE, 'N'}, n, n);
    probe_by(&q, (struct operand){&a, half, uplo == 'L' ? 'N' : 'C'}, n, n);
    probe_by(&q, (struct operand){&a, half, uplo == 'L' ? 'C' : 'N'}, n, n);
    expect_near(&r, &q, n, 4 * (n + 4), kind, "lauum", n);
    probe_free(&r);
    matrix_free(&square);
    matrix_free(&whole);
  }
  probe_free(&q);
  matrix_free(&a);
  matrix_free(&t);
}

static void triangles(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++)
    for (size_t i = 1; i < SMALL + LARGE; i++)
      for (int way = 0; way < 4; way++) {
        int n = size_number(i);
        if (n < 1000 || way == (k + 1) % 4) check_triangle(&kinds[k], "LU"[way % 2], way / 2, n, n + way, i % 2);
      }
}

/* --- Solving --- */

static void check_solve(const struct kind *kind, char op, int n, int columns, int ld) {
  struct matrix a = matrix_new(kind, n, n, ld, n % 2), b = matrix_new(kind, n, columns, ld + 1, n % 2);
  int info = -7, ldb = ld + 1, *pivots = calloc((size_t)n + 1, sizeof(int));
  fill_random(&a);
  for (int i = 0; i < n; i++) put(&a, i, (i * 7 + 3) % n, n + get(&a, i, (i * 7 + 3) % n)); /* far from singular */
  if (n % 7 == 0)
    for (int i = 0; i < n; i++) put(&a, i, i, n + get(&a, i, i));
  fill_random(&b);
  struct matrix f = copy_of(&a), x = copy_of(&b);
  if (op == 'N') {
    kind->gesv(&n, &columns, f.at, &ld, pivots, x.at, &ldb, &info);
  } else {
    kind->getrf(&n, &n, f.at, &ld, pivots, &info);
    kind->getrs(&op, &n, &columns, f.at, &ld, pivots, x.at, &ldb, &info, (size_t)1);
  }
  assert_int_equal(info, 0);
  for (int j = 0; j < columns; j++) {
    struct probe r = probe_new(n, false), s = probe_new(n, false);
    for (int i = 0; i < n; i++) r.v[i] = get(&x, i, j), r.v_size[i] = cabs(r.v[i]), s.v[i] = get(&b, i, j);
    probe_by(&r, (struct operand){&a, WHOLE, op}, n, n);
    expect_near(&s, &r, n, 16 * (n + 8), kind, op == 'N' ? "gesv" : "getrs", n);
    probe_free(&r);
    probe_free(&s);
  }
  matrix_free(&a);
  matrix_free(&b);
  matrix_free(&f);
  matrix_free(&x);
  free(pivots);
}

static void solving(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++)
    for (size_t i = 1; i < SMALL + LARGE; i++) {
      int n = size_number(i);
      if (n <= 500)
        for (int op = 0; op < 3; op++) check_solve(&kinds[k], "NTC"[op], n, 1 + (int)i % 4, n + op);
    }
}

/* --- Threads, pivots, row exchanges --- */

/* The same bits on one thread and on several. */
static void threads(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    const struct kind *kind = &kinds[k];
    int n = kind->is_complex ? 500 : 900, info, pivots[3][900];
    struct matrix general = matrix_new(kind, n, n, n, false), definite = matrix_new(kind, n, n, n, false);
    struct matrix lu[3], chol[3];
    fill_random(&general);
    fill_definite(&definite, 'L');
    for (int t = 0; t < 3; t++) {
      tsr_set_num_threads(NULL, t + 1);
      lu[t] = copy_of(&general);
      chol[t] = copy_of(&definite);
      kind->getrf(&n, &n, lu[t].at, &n, pivots[t], &info);
      kind->potrf("L", &n, chol[t].at, &n, &info, (size_t)1);
      kind->potri("L", &n, chol[t].at, &n, &info, (size_t)1);
    }
    for (int t = 1; t < 3; t++) {
      assert_memory_equal(lu[t].at, lu[0].at, lu[0].bytes);
      assert_memory_equal(chol[t].at, chol[0].at, chol[0].bytes);
      assert_memory_equal(pivots[t], pivots[0], (size_t)n * sizeof(int));
    }
    for (int t = 0; t < 3; t++) matrix_free(&lu[t]), matrix_free(&chol[t]);
    matrix_free(&general);
    matrix_free(&definite);
  }
  tsr_set_num_threads(NULL, 0);
}

/* Debian's LAPACK beside this one: of a random matrix the pivots are the same. */
static void pivots_of_reference(void **state) {
  (void)state;
  static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/lapack/liblapack.so.3",
                                      "/usr/lib/aarch64-linux-gnu/lapack/liblapack.so.3", "liblapack.so.3"};
  void *library = NULL;
  for (size_t i = 0; i < 3 && !library; i++) library = dlopen(paths[i], RTLD_NOW | RTLD_LOCAL);
  __typeof__(dgetrf_) *reference = NULL, *complex_reference = NULL;
  if (library) {
    *(void **)&reference = dlsym(library, "dgetrf_");
    *(void **)&complex_reference = dlsym(library, "zgetrf_");
  }
  if (!reference || !complex_reference) skip();
  for (int k = 1; k < 4; k += 2)
    for (int n = 1; n < 400; n = n * 3 / 2 + 1) {
      struct matrix a = matrix_new(&kinds[k], n, n, n, false);
      int here[400], there[400], info;
      fill_random(&a);
      struct matrix b = copy_of(&a);
      kinds[k].getrf(&n, &n, a.at, &n, here, &info);
      (k == 1 ? reference : complex_reference)(&n, &n, b.at, &n, there, &info);
      assert_memory_equal(here, there, (size_t)n * sizeof(int));
      matrix_free(&a);
      matrix_free(&b);
    }
}

/* Faces with 64-bit integers: the same factors, pivots of 64 bits. */
static void wide_integers(void **state) {
  (void)state;
  int n = 60, info, pivots[60];
  int64_t n64 = 60, info64 = -7, pivots64[60], columns = 2;
  struct matrix a = matrix_new(&kinds[1], n, n, n, false), b = matrix_new(&kinds[1], n, 2, n, false);
  fill_random(&a);
  fill_random(&b);
  struct matrix f = copy_of(&a), x = copy_of(&b);
  int two = 2;
  dgesv_(&n, &two, a.at, &n, pivots, b.at, &n, &info);
  dgesv_64_(&n64, &columns, f.at, &n64, pivots64, x.at, &n64, &info64);
  assert_int_equal(info64, 0);
  assert_memory_equal(a.at, f.at, a.bytes);
  assert_memory_equal(b.at, x.at, b.bytes);
  for (int i = 0; i < n; i++) assert_int_equal(pivots[i], pivots64[i]);
  matrix_free(&a);
  matrix_free(&b);
  matrix_free(&f);
  matrix_free(&x);
}

static void check_exchanges(const struct kind *kind, int m, int columns, int first, int last, int increment) {
  struct matrix a = matrix_new(kind, m, columns, m + 1, m % 2);
  int ld = m + 1, step = abs(increment), *pivots = calloc((size_t)(last * (step + 1) + 1), sizeof(int));
  fill_random(&a);
  struct matrix expected = copy_of(&a);
  for (int i = first; i <= last; i++)
    pivots[first - 1 + (i - first) * step] = 1 + (int)((random_number() + 1) / 2 * (m - 1));
  for (int done = 0; done <= last - first && increment != 0; done++) {
    int i = increment > 0 ? first + done : last - done, with = pivots[first - 1 + (i - first) * step];
    for (int j = 0; j < columns; j++) {
      number kept = get(&expected, i - 1, j);
      put(&expected, i - 1, j, get(&expected, with - 1, j));
      put(&expected, with - 1, j, kept);
    }
  }
  kind->laswp(&columns, a.at, &ld, &first, &last, pivots, &increment);
  assert_memory_equal(a.at, expected.at, a.bytes);
  matrix_free(&a);
  matrix_free(&expected);
  free(pivots);
}

static void exchanges(void **state) {
  (void)state;
  static const int increments[] = {1, -1, 2, -3, 0};
  for (int k = 0; k < 4; k++)
    for (int i = 0; i < 5; i++) {
      check_exchanges(&kinds[k], 10, 7, 1, 10, increments[i]);
      check_exchanges(&kinds[k], 50, 33, 5, 20, increments[i]);
      check_exchanges(&kinds[k], 3000, 100, 2, 2500, increments[i]);
    }
}

/* --- What is said of matrices that cannot be factored --- */

static void not_definite(void **state) {
  (void)state;
  static const int minors[] = {1, 2, 8, 9, 31, 33, 50, 100, 200, 299};
  for (int k = 0; k < 4; k++)
    for (int half = 0; half < 2; half++)
      for (int i = 0; i < 10; i++)
        for (int bad = 0; bad < 3; bad++) {
          int n = 300, info = -7;
          struct matrix a = matrix_new(&kinds[k], n, n, n, false);
          fill_definite(&a, "LU"[half]);
          put(&a, minors[i] - 1, minors[i] - 1, bad == 0 ? 0 : bad == 1 ? -1 : NAN);
          kinds[k].potrf(&"LU"[half], &n, a.at, &n, &info, (size_t)1);
          assert_int_equal(info, minors[i]);
          matrix_free(&a);
        }
}

/* A column of zeros, and one that is the sum of others: the factors are complete, and the first zero pivot is named. */
static void singular(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++)
    for (int zero = 0; zero < 100; zero += 9) {
      int n = 100, info = -7, pivots[100];
      struct matrix a = matrix_new(&kinds[k], n, n, n, false);
      fill_random(&a);
      for (int i = 0; i < n; i++) put(&a, i, zero, 0), put(&a, i, 99, 0);
      kinds[k].getrf(&n, &n, a.at, &n, pivots, &info);
      assert_int_equal(info, zero + 1);
      for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) assert_true(cabs(get(&a, i, j)) < 1e30);
      matrix_free(&a);

      struct matrix t = matrix_new(&kinds[k], n, n, n, false);
      fill_triangle(&t, 'U', false);
      put(&t, zero, zero, 0);
      struct matrix before = copy_of(&t);
      kinds[k].trtri("U", "N", &n, t.at, &n, &info, (size_t)1, (size_t)1);
      assert_int_equal(info, zero + 1);
      assert_memory_equal(t.at, before.at, t.bytes);
      matrix_free(&t);
      matrix_free(&before);
    }
}

/* The inverse of such a pivot is infinite, quotients by it are not. */
static void tiny_pivots(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    double tiny = kinds[k].is_single ? 1e-40 : 1e-310;
    int n = 2, info = -7, pivots[2];
    struct matrix a = matrix_new(&kinds[k], n, n, n, false);
    put(&a, 0, 0, tiny);
    put(&a, 1, 0, tiny / 2);
    put(&a, 0, 1, 0);
    put(&a, 1, 1, 1);
    kinds[k].getrf(&n, &n, a.at, &n, pivots, &info);
    assert_int_equal(info, 0);
    assert_true(cabs(get(&a, 1, 0) - 0.5) < 1e-4);
    matrix_free(&a);
  }
}

/* A NaN anywhere: the routine returns, and its pivots are rows of the matrix. */
static void not_a_number(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++)
    for (int n = 1; n < 150; n += 37) {
      int info = -7, pivots[150];
      struct matrix a = matrix_new(&kinds[k], n, n, n, false);
      fill_random(&a);
      put(&a, n / 2, n / 3, NAN);
      kinds[k].getrf(&n, &n, a.at, &n, pivots, &info);
      assert_true(info >= 0);
      for (int i = 0; i < n; i++) assert_true(pivots[i] > i && pivots[i] <= n);
      assert_true(isnan(creal(get(&a, n - 1, n - 1))));
      for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) put(&a, i, j, NAN);
      kinds[k].getrf(&n, &n, a.at, &n, pivots, &info);
      for (int i = 0; i < n; i++) assert_int_equal(pivots[i], i + 1);
      kinds[k].trtri("U", "N", &n, a.at, &n, &info, (size_t)1, (size_t)1);
      kinds[k].lauum("L", &n, a.at, &n, &info, (size_t)1);
      kinds[k].potrf("U", &n, a.at, &n, &info, (size_t)1);
      assert_int_equal(info, 1);
      matrix_free(&a);
    }
}

/* --- Arguments --- */

#define EXPECT_BAD(routine, parameter, call)                \
  do {                                                      \
    int info = 0;                                           \
    reported_parameter = 0;                                 \
    call;                                                   \
    assert_int_equal(info, -(parameter));                   \
    assert_int_equal(reported_parameter, parameter);        \
    assert_string_equal(reported, routine);                 \
  } while (0)

static void bad_arguments(void **state) {
  (void)state;
  double a[16] = {0}, b[16] = {0};
  int pivots[4] = {0}, no = -1, one = 1, two = 2, three = 3;
  EXPECT_BAD("DPOTRF", 1, dpotrf_("X", &two, a, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRF", 2, dpotrf_("U", &no, a, &two, &info, (size_t)1));
  EXPECT_BAD("ZPOTRF", 4, zpotrf_("L", &two, a, &one, &info, (size_t)1));
  EXPECT_BAD("DGETRF", 1, dgetrf_(&no, &two, a, &two, pivots, &info));
  EXPECT_BAD("CGETRF", 2, cgetrf_(&two, &no, a, &two, pivots, &info));
  EXPECT_BAD("SGETRF", 4, sgetrf_(&three, &two, a, &two, pivots, &info));
  EXPECT_BAD("DTRTRI", 1, dtrtri_("?", "N", &two, a, &two, &info, (size_t)1, (size_t)1));
  EXPECT_BAD("DTRTRI", 2, dtrtri_("L", "?", &two, a, &two, &info, (size_t)1, (size_t)1));
  EXPECT_BAD("DTRTRI", 3, dtrtri_("L", "N", &no, a, &two, &info, (size_t)1, (size_t)1));
  EXPECT_BAD("DTRTRI", 5, dtrtri_("L", "U", &two, a, &one, &info, (size_t)1, (size_t)1));
  EXPECT_BAD("SLAUUM", 1, slauum_("?", &two, a, &two, &info, (size_t)1));
  EXPECT_BAD("SLAUUM", 2, slauum_("U", &no, a, &two, &info, (size_t)1));
  EXPECT_BAD("SLAUUM", 4, slauum_("U", &two, a, &one, &info, (size_t)1));
  EXPECT_BAD("DPOTRI", 1, dpotri_("?", &two, a, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRI", 2, dpotri_("U", &no, a, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRI", 4, dpotri_("U", &two, a, &one, &info, (size_t)1));
  EXPECT_BAD("DPOTRS", 1, dpotrs_("?", &two, &one, a, &two, b, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRS", 2, dpotrs_("U", &no, &one, a, &two, b, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRS", 3, dpotrs_("U", &two, &no, a, &two, b, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRS", 5, dpotrs_("U", &two, &one, a, &one, b, &two, &info, (size_t)1));
  EXPECT_BAD("DPOTRS", 7, dpotrs_("U", &two, &one, a, &two, b, &one, &info, (size_t)1));
  EXPECT_BAD("DGETRS", 1, dgetrs_("?", &two, &one, a, &two, pivots, b, &two, &info, (size_t)1));
  EXPECT_BAD("DGETRS", 2, dgetrs_("N", &no, &one, a, &two, pivots, b, &two, &info, (size_t)1));
  EXPECT_BAD("DGETRS", 3, dgetrs_("N", &two, &no, a, &two, pivots, b, &two, &info, (size_t)1));
  EXPECT_BAD("DGETRS", 5, dgetrs_("N", &two, &one, a, &one, pivots, b, &two, &info, (size_t)1));
  EXPECT_BAD("DGETRS", 8, dgetrs_("N", &two, &one, a, &two, pivots, b, &one, &info, (size_t)1));
  EXPECT_BAD("DGESV ", 1, dgesv_(&no, &one, a, &two, pivots, b, &two, &info));
  EXPECT_BAD("DGESV ", 2, dgesv_(&two, &no, a, &two, pivots, b, &two, &info));
  EXPECT_BAD("DGESV ", 4, dgesv_(&two, &one, a, &one, pivots, b, &two, &info));
  EXPECT_BAD("DGESV ", 7, dgesv_(&two, &one, a, &two, pivots, b, &one, &info));
}

/* Nothing to do: info is 0, and no operand is looked at. */
static void empty(void **state) {
  (void)state;
  int zero = 0, one = 1, info;
  for (int k = 0; k < 4; k++) {
    const struct kind *kind = &kinds[k];
    info = -7, kind->potrf("U", &zero, NULL, &one, &info, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->getrf(&zero, &one, NULL, &one, NULL, &info);
    assert_int_equal(info, 0);
    info = -7, kind->getrf(&one, &zero, NULL, &one, NULL, &info);
    assert_int_equal(info, 0);
    info = -7, kind->trtri("L", "N", &zero, NULL, &one, &info, (size_t)1, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->lauum("L", &zero, NULL, &one, &info, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->potri("L", &zero, NULL, &one, &info, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->potrs("L", &zero, &one, NULL, &one, NULL, &one, &info, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->getrs("T", &one, &zero, NULL, &one, NULL, NULL, &one, &info, (size_t)1);
    assert_int_equal(info, 0);
    info = -7, kind->gesv(&zero, &one, NULL, &one, NULL, NULL, &one, &info);
    assert_int_equal(info, 0);
    kind->laswp(&zero, NULL, &one, &one, &zero, NULL, &one);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lu), cmocka_unit_test(cholesky), cmocka_unit_test(triangles), cmocka_unit_test(solving),
      cmocka_unit_test(threads), cmocka_unit_test(pivots_of_reference), cmocka_unit_test(wide_integers),
      cmocka_unit_test(exchanges), cmocka_unit_test(not_definite), cmocka_unit_test(singular),
      cmocka_unit_test(tiny_pivots), cmocka_unit_test(not_a_number), cmocka_unit_test(bad_arguments),
      cmocka_unit_test(empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
