#include <stdarg.h>
#include <stdio.h>

#include "src/core/core.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

static _Thread_local char last_error[640];

tsr_status tsr_fail(tsr_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(last_error, sizeof last_error, format, args);
  va_end(args);
  return status;
}

const char *tsr_last_error(void) { return last_error; }

const char *tsr_status_string(tsr_status status) {
  switch (status) {
    case TSR_OK: return "success";
    case TSR_INVALID_ARGUMENT: return "an argument is not acceptable";
    case TSR_UNSUPPORTED: return "the request is valid but not supported by this build or CPU";
    case TSR_OUT_OF_MEMORY: return "scratch memory could not be allocated";
    case TSR_BAD_ENVIRONMENT: return "an environment variable holds a value that is not understood";
    case TSR_DEVICE_FAULT: return "a device stopped";
    case TSR_IO_ERROR: return "a file could not be read or written";
  }
  return "not a status";
}

const char *tsr_version(void) {
  return STRING(TSR_VERSION_MAJOR) "." STRING(TSR_VERSION_MINOR) "." STRING(TSR_VERSION_PATCH);
}
