/* Where the database is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "src/tune/database.h"

int (*tsr_database_statfs)(const char *path, struct statfs *result) = statfs;

/* f_type of file systems that other machines write to as well. FUSE hides what is behind it, often sshfs. */
static const struct {
  uint32_t magic;
  const char *name;
} networks[] = {
    {0x6969, "NFS"},         {0xff534d42, "CIFS"},    {0xfe534d42, "SMB"},  {0x517b, "SMB"},
    {0x65735546, "FUSE"},    {0x0bd00bd0, "Lustre"},  {0x00c36400, "Ceph"}, {0x47504653, "GPFS"},
    {0x01021997, "9P"},      {0x5346414f, "AFS"},     {0x6b414653, "AFS"},  {0x19830326, "BeeGFS"},
    {0x73757245, "Coda"},    {0x01161970, "GFS2"},    {0x7461636f, "OCFS2"}, {0xaad7aaea, "PanFS"},
    {0x20030528, "OrangeFS"}, {0x013661, "Acfs"},
};

/* The name of the network file system that holds a path, or NULL. Folders that do not exist yet will be in the
 * closest one that does. */
static const char *network_of(const char *path) {
  char folder[4096];
  struct statfs result;
  snprintf(folder, sizeof folder, "%s", path);
  while (tsr_database_statfs(folder, &result) != 0) {
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder || (errno != ENOENT && errno != ENOTDIR)) return NULL;
    *slash = 0;
  }
  for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
    if ((uint32_t)result.f_type == networks[i].magic) return networks[i].name;
  return NULL;
}

static const char *setting(const char *name) {
  const char *value = secure_getenv(name);
  return value && *value ? value : NULL;
}

static tsr_status home(char *path, size_t size) {
  const char *cache = setting("XDG_CACHE_HOME"), *home = setting("HOME");
  int length;
  if (cache && cache[0] == '/') /* others are to be ignored, says the XDG specification */
    length = snprintf(path, size, "%s/tessera/tune.db", cache);
  else if (home && home[0] == '/')
    length = snprintf(path, size, "%s/.cache/tessera/tune.db", home);
  else
    return tsr_fail(TSR_BAD_ENVIRONMENT, "there is no place for the tuning database: neither XDG_CACHE_HOME nor HOME "
                                         "holds an absolute path; set TESSERA_DB to a path");
  if (length >= (int)size)
    return tsr_fail(TSR_BAD_ENVIRONMENT, "the path of the tuning database is longer than %zu characters; set "
                                         "TESSERA_DB to a shorter one", size - 1);
  const char *network = network_of(path);
  if (!network) return TSR_OK;
  return tsr_fail(TSR_BAD_ENVIRONMENT, "%s is on a network file system (%s), where no tuning is kept: set TESSERA_DB "
                                       "to a path on a local disk", path, network);
}

tsr_status tsr_database_path(char *path, size_t size) {
  const char *given = setting("TESSERA_DB");
  if (!given) return home(path, size);
  if (strlen(given) < size) return strcpy(path, given), TSR_OK;
  return tsr_fail(TSR_BAD_ENVIRONMENT, "TESSERA_DB is longer than %zu characters", size - 1);
}
