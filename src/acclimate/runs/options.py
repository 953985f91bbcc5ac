"""`TrainingOptions`: everything about training that is not the method's own mathematics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acclimate.errors import RequestError, UnknownNameError

T = TypeVar("T", bound=BaseModel)


class TrainingOptions(BaseModel):
    """How long, how fast and on what to train. One name for each, in Python, in the CLI and in files."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(30, ge=1, description="Passes over the data; see epoch_length.")
    steps: int | None = Field(None, ge=1, description="Training steps in all; overrides epochs.")
    epoch_length: Literal["longer", "shorter"] = Field(
        "longer", description="An epoch passes once over the longer or the shorter of source and target."
    )
    batch_size: int = Field(128, ge=2, description="Examples per domain and step, over all processes.")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Optimizer of every network.")
    lr: float = Field(2e-4, gt=0, description="Initial learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty, coupled, on every parameter.")
    lr_schedule: Literal["constant", "annealing", "cosine"] = Field(
        "constant", description="Learning rate over progress; 'annealing' is (1 + 10 p)^-0.75."
    )
    clip_norm: float | None = Field(None, gt=0, description="Largest norm of one update's gradients.")
    normalisation: Literal["half", "mean", "standard", "none"] | None = Field(
        None, description="Input scaling; by default what the network asks for."
    )
    pad: int = Field(0, ge=0, le=64, description="Random shift of training images, in pixels.")
    flip: bool = Field(False, description="Mirror half of the training images.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Number format of the networks while training; 'auto' asks the machine."
    )
    compile: bool = Field(False, description="Compile the networks with torch.compile.")
    device: str = Field("auto", description="'auto', 'cpu', 'cuda', 'cuda:1', 'mps', …")
    seed: int = Field(0, ge=0, lt=2**32, description="Fixes weights, orders, augmentation and dropout.")
    checkpoint_seconds: float = Field(
        30,
        ge=0,
        description="Least seconds between two checkpoints, which take 2 % of the time at most; 0: every step.",
    )
    evaluations: int = Field(25, ge=1, description="About how many points the accuracy curves have.")

    @classmethod
    def resolve(cls, recipe: Mapping[str, Any], chosen: Mapping[str, Any]) -> TrainingOptions:
        """The method's recipe with the user's choices over it.

        Args:
            recipe: `Method.recipe`.
            chosen: what the user set; None means "not set".

        Raises:
            UnknownNameError: if an option has no such name.
            RequestError: if a value breaks its rule.
        """
        given = {k: v for k, v in chosen.items() if v is not None}
        return validated(cls, {**recipe, **given}, "option")


def validated(model: type[T], values: Mapping[str, Any], kind: str) -> T:
    """Build a pydantic model, its complaints turned into acclimate's.

    Args:
        model: the class to build.
        values: its fields.
        kind: what to call a field in messages, for example `"option"`.
    """
    for name in values:
        if name not in model.model_fields:
            raise UnknownNameError(kind, str(name), model.model_fields)
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        field = model.model_fields.get(str(first["loc"][0]))
        rule = first["msg"][0].lower() + first["msg"][1:]
        about = field.description or "" if field else ""
        raise RequestError(where, f"is not valid: {rule}", repr(first["input"]), about) from None
