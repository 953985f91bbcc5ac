"""Freed memory is kept for the next step."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
if sys.argv[1] == "keep":
    from acclimate.training.allocator import keep_freed_memory
    keep_freed_memory()
if sys.argv[1] == "return":
    from acclimate.training.allocator import keep_freed_memory, return_freed_memory
    keep_freed_memory()
    np.ones(int(sys.argv[2]), np.uint8)
    return_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(int(sys.argv[2]), np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print([faults() for _ in range(4)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_a_large_block_that_comes_again_is_not_faulted_in_again() -> None:
    size = 100 << 20

    def faults(how: str) -> int:
        command = [sys.executable, "-c", COUNT, how, str(size)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    # Of pages of 4 KiB, or of 2 MiB where the kernel hands those out.
    assert faults("as it comes") >= size >> 21
    assert faults("keep") < size >> 22
    assert faults("return") >= size >> 21
