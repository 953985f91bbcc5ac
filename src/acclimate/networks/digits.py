"""The six small convolutional networks of the DANN and MCD papers.

`dann-*` come without batch norm, as published; `dann-*-bn` adds it before every ReLU of the feature extractor and
the label predictor. `mcd-*` come with batch norm, as published; `mcd-*-plain` leaves it out.

Sources: Ganin & Lempitsky, ICML 2015, figure 4; Saito et al., CVPR 2018, and the authors' released code. The
papers' figures do not draw padding. Unpadded 5×5 convolutions give 768 features in the MNIST network; a 32×32 image
would vanish in the SVHN network without padding, so that one is padded, giving 8,192.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from acclimate.networks.architecture import Architecture, stack


def _conv(
    inputs: int, outputs: int, kernel: int, padding: int, norm: bool, pool: nn.Module | None = None
) -> list[nn.Module]:
    """Convolution, batch norm, pooling, ReLU.

    The papers draw the ReLU before the pooling. Both orders give the same values and gradients, as max and ReLU
    are monotone; pooling first leaves the ReLU a quarter of the work.
    """
    norms: list[nn.Module] = [nn.BatchNorm2d(outputs)] if norm else []
    pools = [pool] if pool else []
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), *norms, *pools, nn.ReLU(inplace=True)]


def _dense(inputs: int, outputs: int, norm: bool) -> list[nn.Module]:
    norms: list[nn.Module] = [nn.BatchNorm1d(outputs)] if norm else []
    return [nn.Linear(inputs, outputs), *norms, nn.ReLU(inplace=True)]


@dataclass(frozen=True)
class _Digits(Architecture):
    """Common ground: whether batch norm is used."""

    batch_norm: bool = False


def _mnist_trunk(channels: int, norm: bool) -> list[nn.Module]:
    """Unpadded 5×5 convolutions of 32 and 48 maps, each with 2×2 max pooling: 28×28 → 48 maps of 4×4."""
    return [
        *_conv(channels, 32, 5, 0, norm, nn.MaxPool2d(2)),
        *_conv(32, 48, 5, 0, norm, nn.MaxPool2d(2)),
    ]


@dataclass(frozen=True)
class DannMnist(_Digits):
    """The DANN paper's MNIST network: 28×28 → 768 features; heads FC100-FC100-FCk and FC100-FC1.

    With batch norm it also drops half of the second convolution's maps while training, as the public reproductions
    with batch norm do.
    """

    input_size: ClassVar[int] = 28
    normalisation: ClassVar[str] = "mean"

    @property
    def width(self) -> int:
        """48 maps of 4×4."""
        return 768

    def features(self) -> nn.Module:
        """Two unpadded 5×5 convolutions, each followed by 2×2 max pooling."""
        drop = nn.Dropout2d() if self.batch_norm else None
        return stack(_mnist_trunk(self.channels, self.batch_norm), drop, nn.Flatten())

    def classifier(self, num_classes: int) -> nn.Module:
        """FC100 - FC100 - FCk."""
        return stack(
            _dense(768, 100, self.batch_norm), _dense(100, 100, self.batch_norm), nn.Linear(100, num_classes)
        )

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """FC100 - FC1."""
        return stack(_dense(inputs or 768, 100, norm=False), nn.Linear(100, 1))


@dataclass(frozen=True)
class DannSvhn(_Digits):
    """The DANN paper's SVHN network: 32×32 → 8,192 features; heads FC3072-FC2048-FCk and FC1024-FC1024-FC1.

    The paper also bounds the norm of the weights, by a figure it does not give; that is left out.
    """

    input_size: ClassVar[int] = 32
    normalisation: ClassVar[str] = "mean"

    @property
    def width(self) -> int:
        """128 maps of 8×8."""
        return 8192

    def features(self) -> nn.Module:
        """Three padded 5×5 convolutions, the first two followed by 3×3 max pooling with stride 2."""
        return stack(
            _conv(self.channels, 64, 5, 2, self.batch_norm, nn.MaxPool2d(3, 2, padding=1)),
            _conv(64, 64, 5, 2, self.batch_norm, nn.MaxPool2d(3, 2, padding=1)),
            _conv(64, 128, 5, 2, self.batch_norm),
            nn.Flatten(),
        )

    def classifier(self, num_classes: int) -> nn.Module:
        """FC3072 - FC2048 - FCk, with dropout ½ (Srivastava et al., 2014) after both hidden layers."""
        return stack(
            _dense(8192, 3072, self.batch_norm),
            nn.Dropout(),
            _dense(3072, 2048, self.batch_norm),
            nn.Dropout(),
            nn.Linear(2048, num_classes),
        )


@dataclass(frozen=True)
class DannGtsrb(_Digits):
    """The DANN paper's traffic-sign network: 40×40 → 6,400 features; heads FC512-FCk and FC1024-FC1024-FC1."""

    input_size: ClassVar[int] = 40
    normalisation: ClassVar[str] = "mean"

    @property
    def width(self) -> int:
        """256 maps of 5×5."""
        return 6400

    def features(self) -> nn.Module:
        """5×5, 3×3 and 5×5 padded convolutions, each followed by 2×2 max pooling."""
        return stack(
            _conv(self.channels, 96, 5, 2, self.batch_norm, nn.MaxPool2d(2)),
            _conv(96, 144, 3, 1, self.batch_norm, nn.MaxPool2d(2)),
            _conv(144, 256, 5, 2, self.batch_norm, nn.MaxPool2d(2)),
            nn.Flatten(),
        )

    def classifier(self, num_classes: int) -> nn.Module:
        """FC512 - FCk."""
        return stack(_dense(6400, 512, self.batch_norm), nn.Linear(512, num_classes))


@dataclass(frozen=True)
class McdUsps(_Digits):
    """MCD's network for MNIST and USPS: 28×28 → 768 features; dropout before every layer of the classifier."""

    input_size: ClassVar[int] = 28
    batch_norm: bool = True

    @property
    def width(self) -> int:
        """48 maps of 4×4."""
        return 768

    def features(self) -> nn.Module:
        """The trunk of the DANN paper's MNIST network."""
        return stack(_mnist_trunk(self.channels, self.batch_norm), nn.Flatten())

    def classifier(self, num_classes: int) -> nn.Module:
        """Dropout - FC100 - dropout - FC100 - dropout - FCk."""
        return stack(
            nn.Dropout(),
            _dense(768, 100, self.batch_norm),
            nn.Dropout(),
            _dense(100, 100, self.batch_norm),
            nn.Dropout(),
            nn.Linear(100, num_classes),
        )

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """FC100 - FC1, as the DANN paper has it for this trunk."""
        return DannMnist(self.channels).discriminator(inputs)


@dataclass(frozen=True)
class McdSvhn(_Digits):
    """MCD's network for SVHN and MNIST: 32×32 → 3,072 features (25 million weights); classifier FC2048-FCk."""

    input_size: ClassVar[int] = 32
    batch_norm: bool = True

    @property
    def width(self) -> int:
        """The first fully connected layer belongs to the feature extractor here."""
        return 3072

    def features(self) -> nn.Module:
        """The trunk of the DANN paper's SVHN network, FC3072 and dropout ½."""
        trunk = DannSvhn(self.channels, self.batch_norm).features()
        return stack(trunk, _dense(8192, 3072, self.batch_norm), nn.Dropout())

    def classifier(self, num_classes: int) -> nn.Module:
        """FC2048 - FCk."""
        return stack(_dense(3072, 2048, self.batch_norm), nn.Linear(2048, num_classes))


@dataclass(frozen=True)
class McdSigns(_Digits):
    """MCD's traffic-sign network: 40×40 → 6,400 features; classifier FC512 - dropout - FCk."""

    input_size: ClassVar[int] = 40
    batch_norm: bool = True

    @property
    def width(self) -> int:
        """256 maps of 5×5."""
        return 6400

    def features(self) -> nn.Module:
        """The trunk of the DANN paper's traffic-sign network."""
        return DannGtsrb(self.channels, self.batch_norm).features()

    def classifier(self, num_classes: int) -> nn.Module:
        """FC512 - dropout ½ - FCk."""
        return stack(_dense(6400, 512, self.batch_norm), nn.Dropout(), nn.Linear(512, num_classes))
