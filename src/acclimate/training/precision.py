"""bf16 where the machine gains from it: checked by a short measurement once, not assumed from a name."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from acclimate.data.cache import cache_folder
from acclimate.errors import WorkError
from acclimate.runs.files import write_json
from acclimate.runs.machine import machine
from acclimate.training.processes import Processes
from acclimate.training.randomness import seeded

Precision = Literal["fp32", "bf16"]

# bf16 must be at least this much faster on the probe to be chosen. Measured: 4.6 on a processor with AMX, 1.8 on one
# with AVX512-BF16; less than 1 is known of processors without such units. The choice does not hang on noise.
_WORTHWHILE = 1.3


def choose_precision(option: str, kind: str, processes: Processes) -> Precision:
    """Resolve the option `precision`, alike in every process.

    Args:
        option: `"auto"`, `"fp32"` or `"bf16"`.
        kind: what the networks see; `"auto"` keeps fp32 for feature vectors and texts, whose networks are too small
            to gain.
        processes: where training runs; the main one's answer is everybody's.
    """
    if option != "auto":
        return option  # type: ignore[return-value]
    if kind != "images":
        return "fp32"
    return "bf16" if processes.gather(gains_from_bf16(processes.device.type))[0] else "fp32"


@functools.cache
def gains_from_bf16(device_type: str) -> bool:
    """Whether this machine's networks of images are clearly faster in bf16.

    A processor is asked once, by a stopwatch, and its answer is kept in the user's cache folder: the same request
    then gives the same training, whatever else the machine does.
    """
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device_type == "cpu" and _kept(_is_faster_in_bf16)


def _kept(ask: Callable[[], bool]) -> bool:
    """What this machine's processor answered before, or answers now."""
    facts = machine()
    asked = f"{facts['cpu']}, torch {facts['torch']}"
    path = cache_folder() / "bf16.json"
    known: object = None
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
    answers = known if isinstance(known, dict) else {}
    if isinstance(answers.get(asked), bool):
        return bool(answers[asked])
    answer = ask()
    with contextlib.suppress(OSError, WorkError):  # such as a disk that can only be read: then it is asked again
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {**answers, asked: answer})
    return answer


def _is_faster_in_bf16() -> bool:
    """Whether a small convolution is, forwards and backwards."""
    with seeded(0, torch.device("cpu")):
        images = torch.randn(16, 64, 16, 16).contiguous(memory_format=torch.channels_last)
        layer = nn.Conv2d(64, 64, 5, padding=2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # One thread and its own clock: what other work the machine does must not decide.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        single, half = _least_seconds(layer, images, False), _least_seconds(layer, images, True)
    finally:
        torch.set_num_threads(threads)
    return single > _WORTHWHILE * half


def _least_seconds(layer: nn.Module, images: Tensor, bf16: bool) -> float:
    """The fastest of five rounds, after one to warm up."""
    times = []
    for _ in range(6):
        start = time.thread_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = layer(images)
        out.sum().backward()
        times.append(time.thread_time() - start)
    return min(times[1:])


def train_in_bf16(net: nn.Module, device: torch.device) -> None:
    """Make a network compute in bf16 while in training mode, in place; its weights and its output stay float32.

    Losses between networks are then always computed in float32, and evaluation is float32 throughout. Undo it with
    `train_in_fp32`, for a network that is to be copied or pickled.
    """
    forward: Callable[..., Tensor] = net.forward

    @functools.wraps(forward)
    def wrapped(*args: Any) -> Tensor:
        if not net.training:
            return forward(*args)
        with torch.autocast(device.type, torch.bfloat16):
            return forward(*args).float()

    net.forward = wrapped


def train_in_fp32(net: nn.Module) -> None:
    """Undo `train_in_bf16`, in place; nothing happens to a network that never was."""
    net.__dict__.pop("forward", None)
