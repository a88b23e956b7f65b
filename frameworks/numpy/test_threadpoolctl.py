"""threadpoolctl finds the preloaded library and sets its threads. Exit status 77: threadpoolctl is not installed."""

import sys

try:
    import threadpoolctl
except ImportError:
    print("install threadpoolctl to run this test")
    sys.exit(77)

import tessera_threadpoolctl  # noqa: F401 (registers itself)


def tessera():
    found = [lib for lib in threadpoolctl.threadpool_info() if lib["internal_api"] == "tessera"]
    assert len(found) == 1, found
    return found[0]


info = tessera()
assert info["user_api"] == "blas" and info["version"] == sys.argv[1], info
assert info["architecture"] in ("avx512", "avx2", "sve", "generic"), info
before = info["num_threads"]
assert before >= 1, info
with threadpoolctl.threadpool_limits(limits=3, user_api="blas"):
    assert tessera()["num_threads"] == 3, tessera()
with threadpoolctl.threadpool_limits(limits={"tessera": 2}):
    assert tessera()["num_threads"] == 2, tessera()
assert tessera()["num_threads"] == before, tessera()
try:
    threadpoolctl.ThreadpoolController().select(internal_api="tessera").lib_controllers[0].set_num_threads(-1)
except ValueError:
    print(info)
else:
    sys.exit("a negative number of threads was taken")
