/* The caches as hwloc tells them. The library is opened when first needed and closed again, so that Tessera neither
 * needs it nor loads it for nothing. */
#include "src/core/topology.h"

#ifdef TSR_HAVE_HWLOC

#include <dlfcn.h>
#include <hwloc.h>
#include <string.h>

struct hwloc {
  __typeof__(hwloc_topology_init) *init;
  __typeof__(hwloc_topology_destroy) *destroy;
  __typeof__(hwloc_topology_set_all_types_filter) *filter_all;
  __typeof__(hwloc_topology_set_cache_types_filter) *filter_caches;
  __typeof__(hwloc_topology_set_type_filter) *filter_type;
  __typeof__(hwloc_topology_set_components) *components;
  __typeof__(hwloc_topology_load) *load;
  __typeof__(hwloc_get_type_depth) *type_depth;
  __typeof__(hwloc_get_obj_by_depth) *object;
  __typeof__(hwloc_bitmap_isset) *isset;
};

static bool find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  return symbol != NULL;
}

static bool find_all(void *library, struct hwloc *h) {
  return find(library, "hwloc_topology_init", &h->init) && find(library, "hwloc_topology_destroy", &h->destroy) &&
         find(library, "hwloc_topology_set_all_types_filter", &h->filter_all) &&
         find(library, "hwloc_topology_set_cache_types_filter", &h->filter_caches) &&
         find(library, "hwloc_topology_set_type_filter", &h->filter_type) &&
         find(library, "hwloc_topology_set_components", &h->components) &&
         find(library, "hwloc_topology_load", &h->load) && find(library, "hwloc_get_type_depth", &h->type_depth) &&
         find(library, "hwloc_get_obj_by_depth", &h->object) && find(library, "hwloc_bitmap_isset", &h->isset);
}

/* CPUs, cores and caches only; and not the x86 component, which moves this thread over all CPUs. */
static bool load(const struct hwloc *h, hwloc_topology_t topology) {
  return h->filter_all(topology, HWLOC_TYPE_FILTER_KEEP_NONE) == 0 &&
         h->filter_caches(topology, HWLOC_TYPE_FILTER_KEEP_ALL) == 0 &&
         h->filter_type(topology, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL) == 0 &&
         h->components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86") == 0 && h->load(topology) == 0;
}

static hwloc_obj_t find_cpu(const struct hwloc *h, hwloc_topology_t topology, int cpu) {
  int depth = h->type_depth(topology, HWLOC_OBJ_PU);
  hwloc_obj_t pu;
  for (unsigned i = 0; (pu = h->object(topology, depth, i)); i++)
    if (pu->os_index == (unsigned)cpu) break;
  return pu;
}

static int count(const struct hwloc *h, hwloc_obj_t object, const struct tsr_cpu_mask *mask) {
  int n = 0;
  for (int cpu = 0; cpu < 64 * 128; cpu++) n += tsr_cpu_mask_has(mask, cpu) && h->isset(object->cpuset, (unsigned)cpu);
  return n > 0 ? n : 1;
}

static bool read_levels(const struct hwloc *h, hwloc_topology_t topology, const struct tsr_cpu_mask *mask,
                        struct tsr_topology *t) {
  struct tsr_level found[4] = {{0}};
  int threads = 1; /* of one core */
  for (hwloc_obj_t o = find_cpu(h, topology, tsr_cpu_mask_first(mask)); o; o = o->parent) {
    if (o->type == HWLOC_OBJ_CORE) threads = count(h, o, mask);
    if (o->type < HWLOC_OBJ_L1CACHE || o->type > HWLOC_OBJ_L4CACHE) continue;
    const struct hwloc_cache_attr_s *cache = &o->attr->cache;
    found[o->type - HWLOC_OBJ_L1CACHE] = (struct tsr_level){cache->size, cache->linesize, cache->associativity,
                                                            count(h, o, mask) / threads};
  }
  return tsr_topology_levels(t, found);
}

bool tsr_topology_hwloc(struct tsr_topology *t, const struct tsr_cpu_mask *mask) {
  struct hwloc h;
  hwloc_topology_t topology;
  void *library = dlopen("libhwloc.so.15", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return false;
  bool told = false;
  if (find_all(library, &h) && h.init(&topology) == 0) {
    told = load(&h, topology) && read_levels(&h, topology, mask, t);
    h.destroy(topology);
  }
  dlclose(library);
  return told;
}

#else

bool tsr_topology_hwloc(struct tsr_topology *t, const struct tsr_cpu_mask *mask) {
  (void)t, (void)mask;
  return false;
}

#endif
