"""Puts a libtessera into the package: that of TESSERA_LIBRARY, or of the checkout's build folder. Without either the
package looks for the system's when it is used."""

import os
import pathlib
import shutil

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build" / "libtessera.so"
LIBRARY = pathlib.Path(os.environ.get("TESSERA_LIBRARY") or BUILT)


class WithLibrary(build_py):
    def run(self):
        super().run()
        if LIBRARY.exists() and not self.editable_mode:
            shutil.copy(LIBRARY, pathlib.Path(self.build_lib, "tessera_torch", "libtessera.so"))


class Binary(Distribution):
    """A wheel for one kind of machine, if it holds a library."""

    def has_ext_modules(self):
        return LIBRARY.exists()


setup(cmdclass={"build_py": WithLibrary}, distclass=Binary)
