/* Tessera as a loadable backend of ggml: what its files share.
 *
 * Copyright (c) 2026 The Tessera authors. SPDX-License-Identifier: BSD-3-Clause */
#ifndef TSR_GGML_BACKEND_H
#define TSR_GGML_BACKEND_H

#include <ggml-backend-impl.h>
#include <stdbool.h>
#include <tessera/tessera.h>

/* A backend as ggml knows it is one of these: an engine's context has one of its own. */
struct tsr_ggml {
  struct ggml_backend backend;
  tsr_context *context;
  int threads; /* as last set by the engine; 0: never */
  bool shares; /* ggml's threads run the loops */
};

/* Whether a FLASH_ATTN_EXT node is one that the library computes, and computing it. */
bool tsr_ggml_supports_attention(const struct ggml_tensor *node);
enum ggml_status tsr_ggml_attention(tsr_context *context, const struct ggml_tensor *node);

/* Whether the running ggml is the one that this backend was built for; if not, says so in one line on standard error. */
bool tsr_ggml_agrees(void);

/* Lets the threads of ggml's CPU backend run the context's loops, where that can be. Called before each graph. */
void tsr_ggml_share_threads(struct tsr_ggml *own);

/* Prints "tessera: ..." as one line on standard error. */
__attribute__((format(printf, 1, 2))) void tsr_ggml_say(const char *format, ...);

/* Weak, so that a ggml that lacks one of them is refused by name of its version, not by the loader. */
#pragma weak ggml_version
#pragma weak ggml_init
#pragma weak ggml_free
#pragma weak ggml_tensor_overhead
#pragma weak ggml_new_tensor_4d
#pragma weak ggml_flash_attn_ext
#pragma weak ggml_flash_attn_ext_add_sinks
#pragma weak ggml_set_input
#pragma weak ggml_get_data
#pragma weak ggml_graph_n_nodes
#pragma weak ggml_graph_node
#pragma weak ggml_type_name
#pragma weak ggml_op_name
#pragma weak ggml_backend_buft_is_host
#pragma weak ggml_backend_cpu_buffer_type
#pragma weak ggml_backend_cpu_buffer_from_ptr
#pragma weak ggml_backend_name
#pragma weak ggml_backend_guid
#pragma weak ggml_backend_free
#pragma weak ggml_backend_get_device
#pragma weak ggml_backend_graph_compute_async
#pragma weak ggml_backend_dev_name
#pragma weak ggml_backend_dev_description
#pragma weak ggml_backend_dev_memory
#pragma weak ggml_backend_dev_type
#pragma weak ggml_backend_dev_get_props
#pragma weak ggml_backend_dev_init
#pragma weak ggml_backend_dev_buffer_type
#pragma weak ggml_backend_dev_buffer_from_host_ptr
#pragma weak ggml_backend_dev_supports_op
#pragma weak ggml_backend_dev_supports_buft
#pragma weak ggml_backend_dev_backend_reg
#pragma weak ggml_backend_reg_name
#pragma weak ggml_backend_reg_dev_count
#pragma weak ggml_backend_reg_dev_get
#pragma weak ggml_backend_reg_get_proc_address
#pragma weak ggml_backend_reg_by_name

#endif
