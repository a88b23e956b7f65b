"""Lets threadpoolctl see and set Tessera's threads: import this module, then use threadpoolctl as ever."""

import ctypes

import threadpoolctl


class TesseraController(threadpoolctl.LibController):
    """Controls a libtessera that is loaded into the process, preloaded or linked."""

    user_api = "blas"
    internal_api = "tessera"
    filename_prefixes = ("libtessera",)
    check_symbols = ("tsr_get_num_threads", "tsr_set_num_threads", "tsr_version")

    def set_additional_attributes(self):
        isa = self.dynlib.tsr_context_isa
        isa.restype, isa.argtypes = ctypes.c_char_p, (ctypes.c_void_p,)
        self.architecture = isa(None).decode()

    def get_num_threads(self):
        get = self.dynlib.tsr_get_num_threads
        get.restype, get.argtypes = ctypes.c_int, (ctypes.c_void_p,)
        return get(None)

    def set_num_threads(self, num_threads):
        set_ = self.dynlib.tsr_set_num_threads
        set_.restype, set_.argtypes = ctypes.c_int, (ctypes.c_void_p, ctypes.c_int)
        if set_(None, num_threads) != 0:
            raise ValueError(f"Tessera cannot use {num_threads} threads")

    def get_version(self):
        version = self.dynlib.tsr_version
        version.restype = ctypes.c_char_p
        return version().decode()


threadpoolctl.register(TesseraController)
