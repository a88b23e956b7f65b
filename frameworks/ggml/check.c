/* Whether the ggml of this process is the one whose headers this backend was compiled with. Its version number alone
 * does not tell: the structures have changed under one number. So ggml's own functions are called on structures of ours
 * that are filled with recorders, and must reach those that the headers promise. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "backend.h"

#ifndef BUILT_FOR
#error "BUILT_FOR is the version of the ggml whose headers are used, as a string"
#endif

/* Recorders: whichever is called, and whatever as, notes its number and returns nothing. */
enum { RECORDERS = 40 };
static int called;

#define RECORDER(n) \
  static void *recorder_##n(void) { called = n; return NULL; }
#define TEN(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
TEN(RECORDER, 1) TEN(RECORDER, 2) TEN(RECORDER, 3) TEN(RECORDER, 4)

#define NAME(n) recorder_##n,
typedef void *(*recorder)(void);
static const recorder recorders[RECORDERS] = {TEN(NAME, 1) TEN(NAME, 2) TEN(NAME, 3) TEN(NAME, 4)};
enum { FIRST = 10 };

/* A structure of recorders from byte `from` on, with room behind it for one that is larger than ours. */
union probe {
  recorder slot[RECORDERS + 8];
  struct ggml_backend backend;
  struct ggml_backend_device device;
  struct ggml_backend_reg reg;
};

static void fill(union probe *probe, size_t from) {
  memset(probe, 0, sizeof *probe);
  for (size_t i = 0; i < RECORDERS; i++) probe->slot[from / sizeof(recorder) + i] = recorders[i];
}

/* Whether `call` reaches the member of the interface that begins at `from`. */
#define REACHES(call, type, member) \
  (called = -1, (void)(call), \
   called - FIRST == (int)((offsetof(type, iface.member) - offsetof(type, iface)) / sizeof(recorder)))

static bool backends_agree(void) {
  union probe probe;
  static ggml_guid guid;
  struct ggml_backend *b = &probe.backend;
  struct ggml_backend_device device;
  fill(&probe, offsetof(struct ggml_backend, iface));
  b->guid = &guid;
  b->device = &device;
  return ggml_backend_guid(b) == &guid && ggml_backend_get_device(b) == &device &&
         REACHES(ggml_backend_name(b), struct ggml_backend, get_name) &&
         REACHES(ggml_backend_graph_compute_async(b, NULL), struct ggml_backend, graph_compute) &&
         REACHES(ggml_backend_free(b), struct ggml_backend, free);
}

static bool devices_agree(void) {
  union probe probe;
  struct ggml_backend_device *d = &probe.device;
  struct ggml_backend_reg reg;
  size_t unused, total;
  fill(&probe, 0);
  d->reg = &reg;
#define DEVICE(call, member) REACHES(call, struct ggml_backend_device, member)
  return ggml_backend_dev_backend_reg(d) == &reg && DEVICE(ggml_backend_dev_name(d), get_name) &&
         DEVICE(ggml_backend_dev_description(d), get_description) &&
         DEVICE(ggml_backend_dev_memory(d, &unused, &total), get_memory) &&
         DEVICE(ggml_backend_dev_type(d), get_type) && DEVICE(ggml_backend_dev_init(d, NULL), init_backend) &&
         DEVICE(ggml_backend_dev_buffer_type(d), get_buffer_type) &&
         DEVICE(ggml_backend_dev_buffer_from_host_ptr(d, NULL, 0, 0), buffer_from_host_ptr) &&
         DEVICE(ggml_backend_dev_supports_op(d, NULL), supports_op) &&
         DEVICE(ggml_backend_dev_supports_buft(d, NULL), supports_buft);
}

/* ggml clears the properties before it asks for them: as many bytes as it takes them to have. */
static bool properties_agree(void) {
  union probe probe;
  union {
    struct ggml_backend_dev_props props;
    unsigned char byte[sizeof(struct ggml_backend_dev_props) + 64];
  } p;
  size_t cleared = 0;
  fill(&probe, 0);
  memset(&p, 0xaa, sizeof p);
  if (!REACHES(ggml_backend_dev_get_props(&probe.device, &p.props), struct ggml_backend_device, get_props)) return false;
  while (cleared < sizeof p && p.byte[cleared] == 0) cleared++;
  return cleared == sizeof p.props;
}

static bool registrations_agree(void) {
  union probe probe;
  struct ggml_backend_reg *r = &probe.reg;
  fill(&probe, offsetof(struct ggml_backend_reg, iface));
#define REG(call, member) REACHES(call, struct ggml_backend_reg, member)
  return REG(ggml_backend_reg_name(r), get_name) && REG(ggml_backend_reg_dev_count(r), get_device_count) &&
         REG(ggml_backend_reg_dev_get(r, 0), get_device) &&
         REG(ggml_backend_reg_get_proc_address(r, ""), get_proc_address);
}

/* A node as ggml makes it, read as attention.c reads it. */
static bool node_agrees(struct ggml_context *c) {
  struct ggml_tensor *q = ggml_new_tensor_4d(c, GGML_TYPE_F32, 64, 3, 4, 2);
  struct ggml_tensor *k = ggml_new_tensor_4d(c, GGML_TYPE_F16, 64, 8, 2, 2);
  struct ggml_tensor *v = ggml_new_tensor_4d(c, GGML_TYPE_Q8_0, 32, 8, 2, 2);
  struct ggml_tensor *mask = ggml_new_tensor_4d(c, GGML_TYPE_F16, 8, 3, 1, 1);
  struct ggml_tensor *sinks = ggml_new_tensor_4d(c, GGML_TYPE_F32, 4, 1, 1, 1);
  if (!q || !k || !v || !mask || !sinks) return false;
  struct ggml_tensor *node = ggml_flash_attn_ext(c, q, k, v, mask, 0.5f, 8.0f, 30.0f);
  float parameters[3];
  ggml_flash_attn_ext_add_sinks(node, sinks);
  memcpy(parameters, node->op_params, sizeof parameters);
  ggml_set_input(q);
  node->data = parameters;
  return node->op == GGML_OP_FLASH_ATTN_EXT && node->src[0] == q && node->src[1] == k && node->src[2] == v &&
         node->src[3] == mask && node->src[4] == sinks && parameters[0] == 0.5f && parameters[1] == 8.0f &&
         parameters[2] == 30.0f && node->type == GGML_TYPE_F32 && node->ne[0] == 32 && node->ne[1] == 4 &&
         node->ne[2] == 3 && node->ne[3] == 2 && node->nb[0] == 4 && node->nb[3] == 4 * 32 * 4 * 3 &&
         v->nb[1] == 34 && q->flags == GGML_TENSOR_FLAG_INPUT && ggml_get_data(node) == parameters;
}

static bool tensors_agree(void) {
  static const enum ggml_type types[] = {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0};
  static const char *const names[] = {"f32", "f16", "bf16", "q8_0", "q4_0"};
  struct ggml_init_params params = {.mem_size = 16 * ggml_tensor_overhead(), .no_alloc = true};
  for (int i = 0; i < 5; i++)
    if (strcmp(ggml_type_name(types[i]), names[i]) != 0) return false;
  if (strcmp(ggml_op_name(GGML_OP_FLASH_ATTN_EXT), "FLASH_ATTN_EXT") != 0) return false;
  struct ggml_context *c = ggml_init(params);
  bool agrees = c && node_agrees(c);
  if (c) ggml_free(c);
  return agrees;
}

bool tsr_ggml_agrees(void) {
  const char *version = ggml_version ? ggml_version() : "of unknown version";
  if (strcmp(version, BUILT_FOR) != 0) {
    tsr_ggml_say("not used: it was built for ggml " BUILT_FOR " and this program has ggml %s; build frameworks/ggml "
                 "with the program's headers", version);
    return false;
  }
  if (registrations_agree() && devices_agree() && properties_agree() && backends_agree() && tensors_agree())
    return true;
  tsr_ggml_say("not used: this program's ggml says it is " BUILT_FOR ", for which it was built, but its structures "
               "differ; build frameworks/ggml with the program's headers");
  return false;
}
