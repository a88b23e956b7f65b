/* What the environment asks of the default context. It is read once a process, so each value gets a child. */
#include <sys/wait.h>
#include <unistd.h>

#include "test/gemm/gemm_test.h"

static tsr_status product(float *c) {
  static const float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 2;
  return tsr_gemm(NULL, &d, a, b, c);
}

static bool refuses(const char *wanted) {
  float c[4] = {1, 2, 3, 4};
  int n;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int again = 0; again < 2; again++) {
    bool refused = product(c) == TSR_BAD_ENVIRONMENT && c[0] == 1 && c[1] == 2 && c[2] == 3 && c[3] == 4;
    if (!refused || !strstr(tsr_last_error(), "TESSERA_ISA") || !strstr(tsr_last_error(), wanted)) return false;
    for (int i = 0; i < n; i++)
      if (!strstr(tsr_last_error(), chips[i]->isa)) return false;
  }
  tsr_context *context;
  return tsr_context_create("generic", &context) == TSR_OK;
}

static bool accepts(const char *wanted) {
  float c[4];
  bool right = product(c) == TSR_OK && c[0] == 19 && c[1] == 22 && c[2] == 43 && c[3] == 50;
  return right && (!wanted || strcmp(tsr_context_isa(NULL), wanted) == 0);
}

static bool counts(const char *wanted) {
  return tsr_get_num_threads(NULL) == atoi(wanted) && accepts(NULL);
}

/* Runs a check in a child with the environment variable set. */
static void in_child(const char *name, const char *value, bool (*check)(const char *), const char *wanted) {
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    setenv(name, value, 1);
    _exit(check(wanted) ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("%s=%s is not handled as it should be", name, value);
}

static void isa(void **state) {
  (void)state;
  in_child("TESSERA_ISA", "pentium", refuses, "pentium");
  in_child("TESSERA_ISA", "AVX512 ", refuses, "AVX512 ");
  in_child("TESSERA_ISA", "%s%n%s", refuses, "%s%n%s");
  in_child("TESSERA_ISA", "", accepts, NULL);
  in_child("TESSERA_ISA", "generic", accepts, "generic");
  for (int i = 0; i < ncontexts; i++)
    in_child("TESSERA_ISA", tsr_context_isa(contexts[i]), accepts, tsr_context_isa(contexts[i]));
}

/* A name so long that no message holds it still gets a message. */
static bool refuses_long_name(const char *wanted) {
  float c[4] = {1};
  (void)wanted;
  return product(c) == TSR_BAD_ENVIRONMENT && c[0] == 1 && strstr(tsr_last_error(), "TESSERA_ISA");
}

static void long_isa(void **state) {
  (void)state;
  char name[5000];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  in_child("TESSERA_ISA", name, refuses_long_name, NULL);
}

static void thread_numbers(void **state) {
  (void)state;
  in_child("TESSERA_NUM_THREADS", "3", counts, "3");
  in_child("OMP_NUM_THREADS", "5", counts, "5");
  in_child("OMP_NUM_THREADS", "4,2", counts, "4");
  static const char *const bad[] = {"many", "-1", "0", "3x", "99999999999999999999", ""};
  for (int i = 0; i < COUNT(bad); i++) in_child("TESSERA_NUM_THREADS", bad[i], accepts, NULL);
}

static int clear_environment(void **state) {
  unsetenv("TESSERA_ISA");
  unsetenv("TESSERA_NUM_THREADS");
  unsetenv("OMP_NUM_THREADS");
  return open_contexts(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(isa), cmocka_unit_test(long_isa),
                                     cmocka_unit_test(thread_numbers)};
  return cmocka_run_group_tests(tests, clear_environment, close_contexts);
}
