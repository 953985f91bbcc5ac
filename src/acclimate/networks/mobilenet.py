"""MobileNetV2 (Sandler et al., CVPR 2018) for photos, with the parameter names of timm's `mobilenetv2_100`.

The ImageNet weights this loads were dequantised from a TensorFlow model, which fixes two things:

- Convolutions pad as TensorFlow's SAME does: at stride 2 the extra row and column go to the bottom and right.
- Their norms are folded into the convolutions, so the norms are identities that must never see training mode. For
  fine-tuning a second file brings real statistics, with the same function in eval mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.data.home import data_home
from acclimate.errors import AbsentError
from acclimate.networks.architecture import Architecture, Pretrained

WEIGHTS = "mobilenetv2_100_imagenet_fp16.safetensors"
NORMS = "mobilenetv2_100_bn_realstats.safetensors"

# (expansion t, channels c, repeats n, stride s) of each stage: table 2 of the paper.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class _Relu6(torch.autograd.Function):
    """min(max(x, 0), 6) in place; what comes out tells the gradient.

    PyTorch's own, in place or not, keeps what went in as well: one in three of the tensors that a layer leaves to the
    backward pass.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        F.relu6(x, inplace=True)
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, out, 0.0, 6.0)  # type: ignore[no-any-return]


def _relu6(x: Tensor) -> Tensor:
    """ReLU6 of what nothing else reads, in place."""
    out: Tensor = _Relu6.apply(x)  # type: ignore[no-untyped-call]
    return out


class _SameConv(nn.Conv2d):
    """A 3×3 convolution with TensorFlow's SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        """Pad one row and column less at the top left than at the bottom right where the total is odd."""
        pads = []
        for size, kernel, stride in zip(reversed(x.shape[2:]), self.kernel_size, self.stride, strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


def _depthwise(channels: int, stride: int) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    return _SameConv(channels, channels, 3, stride, groups=channels, bias=False)


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, bias=False)


class _DepthwiseSeparable(nn.Module):
    """The first block: depthwise, then a linear pointwise projection."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_dw, self.bn1 = _depthwise(inputs, 1), nn.BatchNorm2d(inputs)
        self.conv_pw, self.bn2 = _pointwise(inputs, outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = _relu6(self.bn1(self.conv_dw(x)))
        out: Tensor = self.bn2(self.conv_pw(x))
        return out


class _InvertedResidual(nn.Module):
    """Expand, depthwise, linear projection; a shortcut where input and output agree in shape."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.conv_pw, self.bn1 = _pointwise(inputs, hidden), nn.BatchNorm2d(hidden)
        self.conv_dw, self.bn2 = _depthwise(hidden, stride), nn.BatchNorm2d(hidden)
        self.conv_pwl, self.bn3 = _pointwise(hidden, outputs), nn.BatchNorm2d(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _relu6(self.bn1(self.conv_pw(x)))
        out = _relu6(self.bn2(self.conv_dw(out)))
        out = self.bn3(self.conv_pwl(out))
        return x + out if self.shortcut else out


class MobileNetV2(nn.Module):
    """`(b, 3, 224, 224)` in [−1, 1] → `(b, 1280)` pooled features; `classifier` gives the 1,000 ImageNet logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn1 = _SameConv(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32)
        stages, inputs = [], 32
        for expansion, outputs, repeats, first_stride in _STAGES:
            blocks: list[nn.Module] = []
            for i in range(repeats):
                stride = first_stride if i == 0 else 1
                blocks.append(
                    _DepthwiseSeparable(inputs, outputs)
                    if expansion == 1
                    else _InvertedResidual(inputs, outputs, stride, expansion)
                )
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head, self.bn2 = _pointwise(inputs, 1280), nn.BatchNorm2d(1280)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled features."""
        return self.levels(x, ())

    def levels(self, x: Tensor, stages: tuple[int, ...]) -> Tensor:
        """Some stages' outputs, 0 to 6, rectified and pooled to 2×2, then the last features: `(b, … + 1280)`."""
        x = _relu6(self.bn1(self.conv_stem(x)))
        pooled = []
        for number, stage in enumerate(self.blocks):
            x = stage(x)
            if number in stages:
                pooled.append(F.adaptive_avg_pool2d(F.relu(x), 2).flatten(1))
        x = _relu6(self.bn2(self.conv_head(x)))
        return torch.cat([*pooled, x.mean(dim=(2, 3))], dim=1)


def load_mobilenet(folder: Path | None = None, *, trainable: bool) -> MobileNetV2:
    """MobileNetV2 with ImageNet weights.

    Args:
        folder: where the weight files are; `<data home>/encoders` by default.
        trainable: bring the norms with real statistics, for training mode. The function in eval mode is the same.

    Raises:
        AbsentError: if a weight file is not there.
    """
    folder = folder or data_home() / "encoders"
    weights = load_file(_present(folder / WEIGHTS))
    if trainable:
        weights |= load_file(_present(folder / NORMS))
    network = MobileNetV2()
    network.load_state_dict({name: value.to(torch.float32) for name, value in weights.items()}, strict=not trainable)
    return network


def weights_are_here() -> bool:
    """Whether the ImageNet weights are on disk."""
    return all((data_home() / "encoders" / name).is_file() for name in (WEIGHTS, NORMS))


def _present(path: Path) -> Path:
    if not path.is_file():
        raise AbsentError(
            "network",
            "'mobilenetv2' needs its ImageNet weights on disk",
            f"no file {path}",
            "Run `acclimate data import FOLDER`, or start from random weights: --network mobilenetv2-scratch",
        )
    return path


@dataclass(frozen=True)
class MobileNet(Architecture):
    """MobileNetV2 with a bottleneck of 256, the form of the DANN paper's Office network.

    Pretrained layers learn at a tenth of the learning rate.

    Attributes:
        pretrained: start from ImageNet weights.
    """

    input_size: ClassVar[int] = 224
    stored_size: ClassVar[int] = 256
    any_size: ClassVar[bool] = True
    fixed_channels: ClassVar[int | None] = 3
    # 128 photos a side would take 7 GB.
    recipe: ClassVar = {"batch_size": 32}
    pretrained: bool = True

    @property
    def width(self) -> int:
        """The bottleneck's."""
        return 256

    def features(self) -> nn.Module:
        """The trunk, then FC 1280 → 256 without ReLU."""
        trunk = load_mobilenet(trainable=True) if self.pretrained else MobileNetV2()
        trunk.classifier.requires_grad_(False)
        bottleneck = nn.Linear(1280, 256)
        nn.init.normal_(bottleneck.weight, std=0.005)
        nn.init.constant_(bottleneck.bias, 0.1)
        return nn.Sequential(Pretrained(trunk, lr_scale=0.1 if self.pretrained else 1.0), bottleneck)

    def classifier(self, num_classes: int) -> nn.Module:
        """FCk from N(0, 0.01)."""
        head = nn.Linear(256, num_classes)
        nn.init.normal_(head.weight, std=0.01)
        nn.init.zeros_(head.bias)
        return head

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """FC1024 - dropout - FC1024 - dropout - FC1, from N(0, 0.01) and N(0, 0.3)."""
        layers = [nn.Linear(inputs or self.width, 1024), nn.Linear(1024, 1024), nn.Linear(1024, 1)]
        for layer, std in zip(layers, (0.01, 0.01, 0.3), strict=True):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)
        first, second, last = layers
        return nn.Sequential(first, nn.ReLU(), nn.Dropout(), second, nn.ReLU(), nn.Dropout(), last)
