/* The three objects that ggml asks a backend for: a registration, one device, and a backend for each engine context.
 * The device is an accelerator beside the CPU: tensors stay in the CPU backend's buffers, and nothing is copied. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"

#define NAME "Tessera"

#define EXPORT __attribute__((visibility("default")))

static struct ggml_backend_device device;
static struct ggml_backend_reg registration;

void tsr_ggml_say(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int start = snprintf(line, sizeof line, "tessera: ");
  int length = start + vsnprintf(line + start, sizeof line - (size_t)start - 1, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
  line[length++] = '\n';
  ssize_t ignored = write(STDERR_FILENO, line, (size_t)length);
  (void)ignored;
}

/* The backend. */

static const char *backend_name(ggml_backend_t backend) {
  (void)backend;
  return NAME;
}

static void backend_free(ggml_backend_t backend) {
  struct tsr_ggml *own = (struct tsr_ggml *)backend;
  tsr_context_destroy(own->context);
  free(own);
}

/* What the scheduler puts between our nodes changes no data. */
static bool is_free(enum ggml_op op) {
  return op == GGML_OP_NONE || op == GGML_OP_RESHAPE || op == GGML_OP_VIEW || op == GGML_OP_PERMUTE ||
         op == GGML_OP_TRANSPOSE;
}

static enum ggml_status backend_compute(ggml_backend_t backend, struct ggml_cgraph *graph) {
  struct tsr_ggml *own = (struct tsr_ggml *)backend;
  tsr_ggml_share_threads(own);
  for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
    const struct ggml_tensor *node = ggml_graph_node(graph, i);
    if (is_free(node->op) || !(node->flags & GGML_TENSOR_FLAG_COMPUTE)) continue;
    if (node->op != GGML_OP_FLASH_ATTN_EXT) {
      tsr_ggml_say("asked to compute %s, node \"%s\", which it never offered", ggml_op_name(node->op), node->name);
      return GGML_STATUS_FAILED;
    }
    enum ggml_status status = tsr_ggml_attention(own->context, node);
    if (status != GGML_STATUS_SUCCESS) return status;
  }
  return GGML_STATUS_SUCCESS;
}

/* Called by engines before each graph, with what -t or -tb say. */
static void backend_set_threads(ggml_backend_t backend, int threads) {
  struct tsr_ggml *own = (struct tsr_ggml *)backend;
  if (threads == own->threads || threads < 1) return;
  own->threads = threads;
  tsr_set_num_threads(own->context, threads);
}

static ggml_backend_t backend_create(ggml_backend_dev_t of, const char *parameters) {
  static ggml_guid guid = {0x74, 0x65, 0x73, 0x73, 0x65, 0x72, 0x61, 0x8e, 0x91, 0x4f, 0x3c, 0xd2, 0x5a, 0xb0, 0x17, 0x66};
  struct tsr_ggml *own = calloc(1, sizeof *own);
  (void)parameters;
  if (!own) return NULL;
  if (tsr_context_create(NULL, &own->context) != TSR_OK) {
    tsr_ggml_say("%s", tsr_last_error());
    free(own);
    return NULL;
  }
  own->backend.guid = &guid;
  own->backend.iface.get_name = backend_name;
  own->backend.iface.free = backend_free;
  own->backend.iface.graph_compute = backend_compute;
  own->backend.device = of;
  return &own->backend;
}

/* The device. */

static const char *device_name(ggml_backend_dev_t of) {
  (void)of;
  return NAME;
}

static const char *device_description(ggml_backend_dev_t of) {
  static char text[64];
  (void)of;
  const char *isa = tsr_context_isa(NULL);
  snprintf(text, sizeof text, "Tessera %s, %s kernels", tsr_version(), isa ? isa : "no");
  return text;
}

static void device_memory(ggml_backend_dev_t of, size_t *unused, size_t *total) {
  (void)of;
  *unused = *total = 0; /* none of its own */
}

static enum ggml_backend_dev_type device_type(ggml_backend_dev_t of) {
  (void)of;
  return GGML_BACKEND_DEVICE_TYPE_ACCEL;
}

static void device_props(ggml_backend_dev_t of, struct ggml_backend_dev_props *props) {
  props->name = device_name(of);
  props->description = device_description(of);
  props->type = device_type(of);
  props->caps.buffer_from_host_ptr = props->caps.mmap_support = true;
}

static ggml_backend_buffer_type_t device_buffer_type(ggml_backend_dev_t of) {
  (void)of;
  return ggml_backend_cpu_buffer_type();
}

static ggml_backend_buffer_t device_buffer(ggml_backend_dev_t of, void *at, size_t size, size_t largest) {
  (void)of, (void)largest;
  return ggml_backend_cpu_buffer_from_ptr(at, size);
}

static bool device_supports(ggml_backend_dev_t of, const struct ggml_tensor *node) {
  (void)of;
  return is_free(node->op) || (node->op == GGML_OP_FLASH_ATTN_EXT && tsr_ggml_supports_attention(node));
}

static bool device_supports_buffer(ggml_backend_dev_t of, ggml_backend_buffer_type_t type) {
  (void)of;
  return ggml_backend_buft_is_host(type);
}

static struct ggml_backend_device device = {
  .iface = {
    .get_name = device_name,
    .get_description = device_description,
    .get_memory = device_memory,
    .get_type = device_type,
    .get_props = device_props,
    .init_backend = backend_create,
    .get_buffer_type = device_buffer_type,
    .buffer_from_host_ptr = device_buffer,
    .supports_op = device_supports,
    .supports_buft = device_supports_buffer,
  },
  .reg = &registration,
};

/* The registration. */

static const char *registration_name(ggml_backend_reg_t of) {
  (void)of;
  return NAME;
}

static size_t registration_devices(ggml_backend_reg_t of) {
  (void)of;
  return 1;
}

static ggml_backend_dev_t registration_device(ggml_backend_reg_t of, size_t index) {
  (void)of;
  return index == 0 ? &device : NULL;
}

static void *registration_function(ggml_backend_reg_t of, const char *name) {
  (void)of;
  return strcmp(name, "ggml_backend_set_n_threads") == 0 ? (void *)backend_set_threads : NULL;
}

static struct ggml_backend_reg registration = {
  .api_version = GGML_BACKEND_API_VERSION,
  .iface = {
    .get_name = registration_name,
    .get_device_count = registration_devices,
    .get_device = registration_device,
    .get_proc_address = registration_function,
  },
};

/* What the loader looks up. The second lets ggml choose among several; there is one, good or not at all. */
EXPORT ggml_backend_reg_t ggml_backend_init(void);
EXPORT int ggml_backend_score(void);

ggml_backend_reg_t ggml_backend_init(void) { return tsr_ggml_agrees() ? &registration : NULL; }
int ggml_backend_score(void) { return 1; }
