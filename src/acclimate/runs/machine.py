"""What a number was measured on."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib


def machine() -> dict[str, Any]:
    """Processor, cores, operating system, and the versions that decide the arithmetic."""
    return {
        "cpu": _processor(),
        "cores": joblib.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **_versions(),
    }


@cache
def _versions() -> dict[str, str]:
    """Of what decides the arithmetic; reading them takes as long as a small run's steps."""
    return {name: metadata.version(name) for name in ("torch", "numpy", "scikit-learn")}


@cache
def current_commit() -> str | None:
    """The commit of the source tree this runs from, with a + if it has changes; None outside a checkout.

    Looked up once: what is loaded stays what it was, whatever becomes of the tree.
    """

    def git(*words: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(["git", "-C", here, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    """The model's name, and the matrix units that make bf16 worthwhile."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return platform.processor() or "unknown"
    text = info.read_text(encoding="utf-8", errors="replace")
    fields = dict(line.split("\t: ", 1) for line in text.splitlines() if "\t: " in line)
    name = next((v for k, v in fields.items() if k.strip() == "model name"), platform.machine())
    flags = next((v for k, v in fields.items() if k.strip() == "flags"), "").split()
    units = [u for u in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if u in flags]
    return f"{name} ({', '.join(units)})" if units else name
