/* A ggml of another version, or of the same one with other structures: refused by one line, and the program goes on. The
 * function below stands before ggml's own wherever the backend looks it up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <ggml-backend-impl.h>

#define EXPORTED __attribute__((visibility("default")))

#ifdef OTHER_VERSION
#define REASON "has ggml 0.0.7"
EXPORTED const char *ggml_version(void) { return "0.0.7"; }
#else
#define REASON "its structures differ"
/* What a ggml does in which one member was added before this one. */
EXPORTED bool ggml_backend_dev_supports_op(ggml_backend_dev_t device, const struct ggml_tensor *op) {
  (void)op;
  return device->iface.supports_buft(device, NULL);
}
#endif

static const char *path;

static void refuses(void **state) {
  (void)state;
  char said[2048];
  FILE *file = tmpfile();
  int standard_error = dup(STDERR_FILENO);
  assert_non_null(file);
  fflush(stderr);
  dup2(fileno(file), STDERR_FILENO);
  ggml_backend_reg_t reg = ggml_backend_load(path);
  fflush(stderr);
  dup2(standard_error, STDERR_FILENO);
  rewind(file);
  size_t length = fread(said, 1, sizeof said - 1, file);
  said[length] = '\0';
  fclose(file);
  assert_null(reg);
  const char *line = strstr(said, "tessera: not used: ");
  assert_non_null(line);
  assert_non_null(strstr(line, REASON));
  assert_null(strstr(line + 1, "tessera: "));
  assert_null(ggml_backend_dev_by_name("Tessera"));
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(refuses)};
  if (argc < 2) return 2;
  path = argv[1];
  return cmocka_run_group_tests(tests, NULL, NULL);
}
