"""Networks that people bring: of timm, of the Hugging Face Hub, exported by PyTorch, or made by a function of theirs.

    timm:NAME or timm:FOLDER      a model of timm's, weights from the Hub's cache or from the folder
    hf:NAME or hf:FOLDER          an encoder of transformers', likewise
    FILE.pt2                      what torch.export wrote, from (b, 3, s, s) to features
    package.module:function       a function without arguments that gives an nn.Module

`#` and the name of a layer behind it say what learns: `#none` freezes nothing, `#all` everything, and
`#blocks.5` all up to and with that layer.

Nothing is fetched: weights are on this machine or an error says how to get them. The first two are data. The last two
are code, so a run's configuration, which may come from a stranger, cannot name them: whoever types one allows it.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.errors import AbsentError, MissingExtraError, RequestError
from acclimate.networks.architecture import Architecture, Pretrained
from acclimate.networks.backbone_names import HF, NONE, PT2, TIMM, check_allowed
from acclimate.networks.encoder import PhotoEncoder, frozen

_HALF = (0.5, 0.5, 0.5)


def load_backbone(spec: str) -> PhotoEncoder:
    """A backbone with its weights and how pictures come to it.

    Args:
        spec: as in the module's docstring, without `#`.

    Raises:
        RequestError: if there is none of that name, or it is code that nobody allowed.
        AbsentError: if its weights are not on this machine.
        MissingExtraError: if it takes a library that is not installed.
    """
    if spec.startswith(HF):
        return _of_transformers(spec, spec.removeprefix(HF))
    if spec.startswith(TIMM):
        return _of_timm(spec, spec.removeprefix(TIMM))
    check_allowed(spec)
    return _of_program(spec) if spec.endswith(PT2) else _of_factory(spec)


def _of_timm(name: str, model: str) -> PhotoEncoder:
    try:
        import timm
    except ImportError:
        raise MissingExtraError("timm", "hub") from None
    local = Path(model).is_dir()
    if not local and not timm.is_model(model):
        fix = "timm.list_models(pretrained=True) lists them."
        raise RequestError("photo_encoder", "must be a model that timm knows", repr(model), fix)
    network = _created(timm.create_model, f"local-dir:{model}" if local else model)
    data = timm.data.resolve_data_config({}, model=network)
    size = int(data["input_size"][-1])
    stored = round(size / float(data.get("crop_pct") or 1))
    return PhotoEncoder(name, frozen(network), size, stored, tuple(data["mean"]), tuple(data["std"]))


def _created(create: Callable[..., Any], model: str) -> nn.Module:
    """The model without its classifier, with weights from the Hub's cache or a folder; nothing is fetched."""
    try:
        with _offline():
            network: nn.Module = create(model, pretrained=True, num_classes=0)
    except Exception as error:  # of the many that a missing network, file or checksum raises
        raise AbsentError(
            "photo_encoder",
            "must have its weights on this machine",
            f"{model!r} without ({type(error).__name__}: {error})",
            f"Fetch them where there is a connection (hf download timm/NAME), or give their folder: {TIMM}FOLDER",
        ) from None
    return network


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Inside, the Hub's client takes what is in its cache and fetches nothing."""
    try:
        from huggingface_hub import constants
    except ImportError:
        yield
        return
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _of_transformers(spec: str, name: str) -> PhotoEncoder:
    try:
        from transformers import AutoModel
        from transformers.utils import logging
    except ImportError:
        raise MissingExtraError("transformers", "hub") from None
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        network, info = AutoModel.from_pretrained(
            name, use_safetensors=True, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except Exception as error:  # it fails in more ways than are documented
        raise AbsentError(
            "network",
            "must be a folder, or be in the Hub's cache on this machine, with safetensors weights",
            f"{name!r} ({type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]})",
            f"Fetch it where there is a connection: hf download {name}",
        ) from None
    finally:
        logging.set_verbosity(before)
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    if missing:
        fix = "Save the whole model with save_pretrained."
        raise RequestError("network", "must have all of its weights", f"{name!r} without {missing[0]!r}", fix)
    config = network.config
    size, stored, mean, std = _of_pictures(name, config)
    return PhotoEncoder(spec, _still(_Pooled(network, untrained=bool(info["missing_keys"]))), size, stored, mean, std)


def _of_pictures(name: str, config: Any) -> tuple[int, int, tuple[float, ...], tuple[float, ...]]:
    """Size, stored size, mean and deviation, as the model's own `preprocessor_config.json` or configuration has them.

    Raises:
        RequestError: if the model sees something else than pictures.
    """
    if getattr(config, "num_channels", None) != 3:
        raise RequestError(
            "network",
            "must be an encoder of colour pictures",
            f"{name!r}, a {config.model_type}",
            "For texts: acclimate data encode-texts TEXTS --encoder NAME --out OUT.npz, then adapt from the arrays.",
        )
    from transformers.utils.hub import cached_file

    found = cached_file(
        name, "preprocessor_config.json", local_files_only=True, _raise_exceptions_for_missing_entries=False
    )
    facts: dict[str, Any] = json.loads(Path(found).read_text(encoding="utf-8")) if found else {}
    stored = _side(facts.get("size"), _side(getattr(config, "image_size", None), 224))
    size = _side(facts.get("crop_size"), stored) if facts.get("do_center_crop") else stored
    mean, std = (tuple(facts.get(key) or _HALF) for key in ("image_mean", "image_std"))
    return size, max(size, stored), mean, std


def _side(told: Any, usual: int) -> int:
    """A side in pixels, told as a number, as height and width, or as the shortest edge."""
    if isinstance(told, dict):
        told = told.get("shortest_edge") or told.get("height")
    return int(told) if isinstance(told, int | float) else usual


class _Pooled(nn.Module):
    """A model of transformers' as features `(b, d)`.

    Its pooler's answer, or, where it has none that was trained, that of its first token, or the mean over places.

    Args:
        network: takes `pixel_values`.
        untrained: whether its pooler has no weights of its own.
    """

    def __init__(self, network: nn.Module, untrained: bool) -> None:
        super().__init__()
        self.network, self.untrained = network, untrained

    def forward(self, x: Tensor) -> Tensor:
        """`(b, 3, s, s)` to `(b, d)`."""
        found = self.network(pixel_values=x)
        pooled = getattr(found, "pooler_output", None)
        if pooled is not None and not self.untrained:
            return torch.as_tensor(pooled).flatten(1)
        last: Tensor = found.last_hidden_state
        return last[:, 0] if last.ndim == 3 else last.mean(dim=(2, 3))


class _Exported(nn.Module):
    """What torch.export wrote; it is as it is in training mode too."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, x: Tensor) -> Tensor:
        """`(b, 3, s, s)` to `(b, d)`."""
        return torch.as_tensor(self.program(x)).flatten(1)

    def train(self, mode: bool = True) -> _Exported:
        """A program has no modes."""
        return self


def _of_program(spec: str) -> PhotoEncoder:
    try:
        loaded = torch.export.load(spec)
        shape = tuple(loaded.example_inputs[0][0].shape)
        network = _Exported(loaded.module())
        network(torch.zeros(3, *shape[1:]))
    except Exception as error:  # of the many that a file, a graph or a batch of another size raises
        raise RequestError(
            "network",
            "must be a program of torch.export for any number of pictures (b, 3, s, s)",
            f"{spec!r} ({type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]})",
            "Export it for batches of any size: dynamic_shapes=({0: torch.export.Dim.DYNAMIC},).",
        ) from None
    return PhotoEncoder(spec, _still(network), shape[-1], shape[-1], _HALF, _HALF)


def _of_factory(spec: str) -> PhotoEncoder:
    module, _, name = spec.partition(":")
    try:
        network = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as error:
        fix = "Put its folder on PYTHONPATH; the function takes no argument."
        rule = "must name a function that can be imported and called"
        raise RequestError("network", rule, f"{spec!r} ({type(error).__name__}: {error})", fix) from None
    if not isinstance(network, nn.Module):
        got = f"{spec!r}, which gives a {type(network).__name__}"
        raise RequestError("network", "must give an nn.Module", got, "Return the module itself.")
    size = int(getattr(network, "image_size", 224))
    mean, std = (tuple(getattr(network, key, _HALF)) for key in ("mean", "std"))
    return PhotoEncoder(spec, _still(network), size, size, mean, std)


def _still(network: nn.Module) -> nn.Module:
    return network.float().eval().requires_grad_(False)


class PartlyFrozen(Pretrained):
    """Layers that start from trained weights; the first of them stay as they are, their norms in eval mode.

    Args:
        network: with the weights.
        until: the last layer that is frozen, by its name; empty for none.

    Raises:
        RequestError: if there is no such layer.
    """

    def __init__(self, network: nn.Module, until: str) -> None:
        super().__init__(network)
        network.requires_grad_(requires_grad=True)
        self.frozen = _up_to(network, until) if until else ()
        for name in self.frozen:
            for parameter in self[0].get_submodule(name).parameters():
                parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> PartlyFrozen:
        """Training mode for what learns."""
        super().train(mode)
        for name in self.frozen:
            self[0].get_submodule(name).eval()
        return self


def _up_to(network: nn.Module, until: str) -> tuple[str, ...]:
    """Names of the layers up to and with one, in the order in which they were made."""
    names = [name for name, _ in network.named_modules() if name]
    ends = [i for i, name in enumerate(names) if name == until or name.endswith(f".{until}")]
    if not ends:
        known = ", ".join(name for name in names if name.count(".") <= 1)[:300]
        raise RequestError("freeze_until", "must be the name of a layer", repr(until), f"Some are: {known}.")
    last = names[ends[0]]
    inside = [i for i, name in enumerate(names) if name == last or name.startswith(f"{last}.")]
    parents = {last[: at.start()] for at in re.finditer(r"\.", last)}
    return tuple(name for name in names[: inside[-1] + 1] if name not in parents)


@dataclass(frozen=True)
class Backbone(Architecture):
    """A backbone whose features are fine-tuned, at a tenth of the learning rate, and a linear classifier.

    Attributes:
        encoder: with its weights.
        until: the last layer that is frozen; empty for none.
    """

    encoder: PhotoEncoder
    until: str = ""

    @property
    def input_size(self) -> int:  # type: ignore[override]
        """Side of its pictures."""
        return self.encoder.size

    @property
    def stored_size(self) -> int:  # type: ignore[override]
        """Side of the pictures that are kept."""
        return self.encoder.stored

    @property
    def fixed_channels(self) -> int:  # type: ignore[override]
        """Colour."""
        return 3

    @property
    def pixels(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation of its pictures, on bytes divided by 255."""
        return self.encoder.mean, self.encoder.std

    @property
    def width(self) -> int:
        """d, found by showing it a picture."""
        with torch.no_grad():
            return int(self.encoder(torch.zeros(1, 3, self.encoder.size, self.encoder.size)).shape[1])

    def features(self) -> nn.Module:
        """A copy, with its first weights."""
        return nn.Sequential(PartlyFrozen(copy.deepcopy(self.encoder.network), self.until), nn.Flatten())


def backbone(name: str) -> Backbone:
    """The architecture of a backbone that is fine-tuned.

    Raises:
        RequestError: if there is none of that name, or no such layer.
    """
    spec, _, until = name.partition("#")
    return Backbone(3, load_backbone(spec), "" if until == NONE else until)
