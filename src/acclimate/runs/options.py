"""`TrainingOptions`: everything about training that is not the method's own mathematics."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from acclimate.discovery import Component
from acclimate.errors import RequestError, UnknownNameError

# Types of options that need no import to be understood.
_DECLARED: dict[str, Any] = {"float": float, "int": int, "bool": bool, "float | None": float | None}
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
T = TypeVar("T", bound=BaseModel)

# pydantic's kinds of complaint as the end of a sentence that starts with the option; {…} is its context.
_RULES = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of reasonable size",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "must be given",
    "model_type": "must be a table",
    "string_pattern_mismatch": "must be a plain name",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}


class TrainingOptions(BaseModel):
    """How long, how fast and on what to train. One name for each, in Python, in the CLI and in files."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(30, ge=1, le=10**6, description="Passes over the data; see epoch_length.")
    steps: int | None = Field(None, ge=1, le=10**9, description="Training steps in all; overrides epochs.")
    patience: int = Field(
        0,
        ge=0,
        le=10**6,
        description="Stop after so many epochs that were no better on training examples set aside (a lower loss on "
        "the source's; a higher mAP where photos are searched), and keep the best weights; 0 keeps the last step's.",
    )
    epoch_length: Literal["longer", "shorter"] = Field(
        "longer", description="An epoch passes once over the longer or the shorter of source and target."
    )
    batch_size: int = Field(128, ge=2, le=2**20, description="Examples per domain and step, over all processes.")
    weights: Literal["balanced"] | None = Field(
        None,
        description="'balanced': all classes count alike in the losses of labels, n / (k n_c) for each example of "
        "class c, and in the loss that patience chooses by; by default all examples do.",
    )
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="Optimizer of every network.")
    lr: float = Field(2e-4, gt=0, description="Initial learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD; β₁ of Adam.")
    nesterov: bool = Field(False, description="Nesterov's form of SGD's momentum.")
    weight_decay: float = Field(
        0.0, ge=0, description="L2 penalty on every parameter, coupled; decoupled with adamw."
    )
    lr_schedule: Literal["constant", "annealing", "cosine"] = Field(
        "constant", description="Learning rate over progress; 'annealing' is (1 + 10 p)^-0.75."
    )
    lr_floor: float = Field(0.0, ge=0, description="Least learning rate, where the schedule falls below it.")
    clip_norm: float | None = Field(None, gt=0, description="Largest norm of one update's gradients.")
    gradient_noise: float = Field(
        0.0,
        ge=0,
        description="η of normal noise in the gradients, of variance η / (1 + t)^γ in step t; 0 adds none.",
    )
    gradient_noise_decay: float = Field(0.55, ge=0, le=10, description="γ of that noise; 0 keeps it as it begins.")
    normalisation: Literal["half", "mean", "standard", "rows", "log-rows", "none"] | None = Field(
        None, description="Input scaling; by default what the network asks for. Features only: 'rows', 'log-rows'."
    )
    image_size: int | None = Field(
        None,
        ge=8,
        le=2048,
        description="Side of the images that the network sees, in pixels; by default the network's own. Half the "
        "side is a quarter of the time. Only for networks that take any size: MobileNetV2, trained or 'frozen', or "
        "one of yours.",
    )
    missing: Literal["impute", "refuse"] = Field(
        "impute",
        description="Missing features: 'impute' puts the median or the most frequent value of the source there, and "
        "marks it where the source has some itself; 'refuse' lists them.",
    )
    pad: int = Field(0, ge=0, le=64, description="Random shift of training images, in pixels.")
    flip: bool = Field(False, description="Mirror half of the training images.")
    vocabulary: int = Field(50_000, ge=1, le=10**6, description="Texts: the most frequent words that are kept.")
    words: int = Field(500, ge=1, le=10**6, description="Texts: how many words of each are read.")
    word_dropout: float = Field(
        0.0, ge=0, lt=1, description="Texts: chance of each word to be left out, drawn anew in every training step."
    )
    word_vectors: str = Field(
        "own",
        description="Texts: 'own' trains word vectors on the texts of both sides, 'random' starts without any; "
        "otherwise a file of them, in word2vec's or GloVe's form.",
    )
    word_width: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Texts: numbers for each word; by default as many as the file has, else 300.",
    )
    text_features: str | None = Field(
        None,
        description="Texts as numbers, which every method for tables takes: 'tfidf', weights of the 5,000 words and "
        "pairs of words that the most texts have. By default a memory network reads their words.",
    )
    photo_encoder: str = Field(
        "mobilenetv2",
        description="The frozen network that turns photos into features, for retrieval and for the network 'frozen'; "
        "'timm:<model>' is one of timm's.",
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Number format of the networks while training; 'auto' asks the machine."
    )
    activations: Literal["auto", "keep", "recompute"] = Field(
        "auto",
        description="What networks compute for the backward pass: 'keep' it, or 'recompute' it there, which takes a "
        "fraction of the memory, a third more time or up to three times, and gives the same weights. 'auto' asks how "
        "much memory is free.",
    )
    row_space: bool | None = Field(
        None,
        description="Methods for different features: train on coordinates in the space that the rows span. The same "
        "with SGD, sooner; not with Adam or noise. By default with SGD only.",
    )
    compile: bool = Field(False, description="Compile the networks with torch.compile.")
    device: str = Field("auto", description="'auto', 'cpu', 'cuda', 'cuda:1', 'mps', …")
    seed: int = Field(0, ge=0, lt=2**32, description="Fixes weights, orders, augmentation and dropout.")
    checkpoint_seconds: float = Field(
        30,
        ge=0,
        description="Least seconds between two checkpoints, which take 2 % of the time at most; 0: every step.",
    )
    evaluations: int = Field(25, ge=1, le=10**6, description="About how many points the accuracy curves have.")
    evaluation_examples: int | None = Field(
        None,
        ge=1,
        description="Most examples of each held-out set that the accuracy curves are taken over, drawn once; all by "
        "default. Final scores are over the whole sets either way.",
    )

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
        options = validated(cls, {**recipe, **given}, "option")
        if options.lr_floor > options.lr:
            fix = "Lower it, or raise lr: learning rates only fall."
            raise RequestError("lr_floor", f"must be at most lr, {options.lr:g}", options.lr_floor, fix)
        return options


def validated(model: type[T], values: Mapping[str, Any], kind: str) -> T:
    """Build a pydantic model, its complaints turned into acclimate's.

    Args:
        model: the class to build.
        values: its fields.
        kind: what to call a field in messages, for example `"option"`.

    Raises:
        UnknownNameError: if a field has no such name.
        RequestError: naming the field, if a value has the wrong type or is out of range.
    """
    for name, value in values.items():
        if name not in model.model_fields:
            raise UnknownNameError(kind, str(name), model.model_fields)
        if isinstance(value, bool) and (rule := _number_wanted(model, name)):
            raise RequestError(name, rule, "true" if value else "false", _next_move(model, name))
    try:
        return model(**values)
    except ValidationError as error:
        where, rule, got = complaint(error)
        raise RequestError(where, rule, got, _next_move(model, where.partition(".")[0])) from None


def check_declared(component: Component, values: Mapping[str, Any]) -> None:
    """Check a method's options without importing it, as far as numbers say what they may be.

    Args:
        component: the method.
        values: some of its options.

    Raises:
        RequestError: as `validated` with the class itself, which has the last word.
    """
    fields = {
        field.name: (_DECLARED[field.type], Field(**dict(field.arguments)))
        for field in component.declared
        if field.name in values and field.type in _DECLARED
    }
    model: type[BaseModel] = create_model(component.class_name, __config__=_STRICT, **fields)  # type: ignore[call-overload]
    validated(model, {name: values[name] for name in fields}, f"option of {component.name}")


def complaint(error: ValidationError) -> tuple[str, str, str]:
    """The first thing that pydantic found: where, what it must be, and what it is."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    rule = _rule(first["type"], first["msg"], first.get("ctx", {}))
    return where, rule, "nothing" if first["type"] == "missing" else in_brief(first["input"])


def _number_wanted(model: type[BaseModel], name: str) -> str:
    """The rule that a truth value breaks in that field; pydantic takes one for 0 or 1, which nobody means."""
    annotation = model.model_fields[name].annotation
    taken = {annotation, *get_args(annotation)}
    if bool in taken:
        return ""
    return _RULES["int_type"] if int in taken else _RULES["float_type"] if float in taken else ""


def _rule(kind: str, message: str, context: Mapping[str, Any]) -> str:
    bounds = {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
    return _RULES[kind].format(**bounds) if kind in _RULES else f"is not valid: {message[0].lower()}{message[1:]}"


def in_brief(value: object) -> str:
    """The value as Python writes it, cut short where it is long or deep, for messages."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = 120
    return brief.repr(value)


def _next_move(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    sentences = [field.description or "", "" if field.is_required() else f"Leave {name} out for the default."]
    return " ".join(sentence for sentence in sentences if sentence)
