"""From a plan and two domains to a trainer, and to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import OneSide
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.inputs.word_vectors import give_word_vectors
from acclimate.networks.memory import WordReader
from acclimate.networks.row_space import RowSpaceLinear, row_basis
from acclimate.problems.base import Drawing, problem_called
from acclimate.problems.planning import make_method
from acclimate.problems.weights import class_weights
from acclimate.runs.record import BASELINE
from acclimate.training.checkpoints import Snapshot, interchangeable, load_networks, of_networks
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded, training_seed
from acclimate.training.trainer import Trainer
from acclimate.training.validation import Validation


@dataclass(frozen=True)
class Prepared:
    """What a training begins with.

    Attributes:
        source: labelled source, in its raw form, to be trained on.
        target: the target likewise.
        validation: what chooses the weights by examples set aside; None where the last step's are kept.
        nets: the networks with their first weights, by name.
        notes: what the user should know about how they were made.
    """

    source: Domain
    target: Domain
    validation: Validation | None
    nets: dict[str, nn.Module]
    notes: tuple[str, ...] = ()


def prepare(
    plan: Plan, source: Domain, target: Domain, source_test: Domain | None = None, start: Snapshot | None = None
) -> Prepared:
    """Check what a plan asks of its domains, set examples aside, and build the networks.

    Args:
        plan: how to train.
        source: labelled source, in its raw form.
        target: the target likewise.
        source_test: decides on early stopping, where the options ask for it; or else a tenth of the source, which is
            then not trained on.
        start: has the weights to begin with; fresh ones by default.

    Raises:
        RequestError: if the method needs target labels and there are none, or refuses the network, or a batch cannot
            be shared out.
    """
    problem = problem_called(plan.method.problem)
    problem.check(plan, target)
    _check_batch(plan)
    source, target, validation = problem.divide(plan, source, target, source_test)
    nets = plan.networks()
    problem.prepare_networks(nets, source)
    notes: tuple[str, ...] = ()
    texts = plan.preprocess if type(plan.preprocess) is TextPreprocess else None  # no network reads words of others
    if start is not None:
        load_networks(nets, start)
    elif texts:
        notes = give_word_vectors(nets, texts, plan.options, [source, target])
    for net in nets.values():
        if texts and isinstance(net, WordReader):
            net.know_words(texts.words)
    return Prepared(source, target, validation, nets, notes)


def trainer_of(plan: Plan, prepared: Prepared, hooks: Hooks) -> Trainer:
    """A trainer of what was prepared by the same plan; it trains the very networks that are there."""
    nets, preprocess, processes = prepared.nets, plan.preprocess, plan.processes
    source = _for_training(preprocess.of("source"), prepared.source, nets.get("source_features"))
    target = _for_training(preprocess.of("target"), prepared.target, nets.get("target_features"))
    weigh, place = class_weights(plan.method, plan.options), (processes.rank, processes.size)
    drawing = Drawing(source, target, preprocess, plan.options, place, weigh)
    problem = problem_called(plan.method.problem)
    stream = problem.stream(plan.method, drawing)
    return Trainer(
        plan.method,
        nets,
        source,
        target,
        stream,
        preprocess,
        plan.options,
        processes,
        hooks,
        weigh,
        prepared.validation,
        problem.expected,
    )


def make_trainer(
    plan: Plan,
    source: Domain,
    target: Domain,
    hooks: Hooks,
    source_test: Domain | None = None,
    start: Snapshot | None = None,
) -> Trainer:
    """A trainer over domains in their raw form; arguments and errors as for `prepare`."""
    return trainer_of(plan, prepare(plan, source, target, source_test, start), hooks)


def _check_batch(plan: Plan) -> None:
    """Refuse a batch that cannot be shared out: batch norm needs two examples in each process."""
    if plan.options.batch_size < 2 * plan.processes.size:
        raise RequestError(
            "batch_size",
            "must be at least twice the number of processes, which share each batch",
            f"{plan.options.batch_size} for {plan.processes.size} processes",
            "Give a larger one, or start fewer processes.",
        )


def _for_training(preprocess: OneSide, domain: Domain, net: nn.Module | None) -> Domain:
    """The domain in stored form, or as the coordinates that its network is then told to expect."""
    if not len(domain):
        return domain
    stored = preprocess.fit(domain)
    if not preprocess.rank:
        return stored
    assert isinstance(net, nn.Sequential)
    assert isinstance(net[0], RowSpaceLinear)
    rows = preprocess.batch(stored.array, None).double()
    basis = row_basis(rows)
    net[0].span(basis)
    return replace(stored, inputs=(rows @ basis).float().numpy())


def taken_over(found: Snapshot, method: str, plan: Plan) -> Snapshot:
    """Networks of that method as a plan begins with them; what its own method has beside them is fresh.

    So is what only has the name of one of theirs, such as centroids of another width.
    """
    if plan.method.name == method:
        return found
    theirs, ours = replace(plan, method=make_method(method, {})).networks(), plan.networks()
    fresh = {name: net for name, net in ours.items() if name not in theirs or not interchangeable(net, theirs[name])}
    kept = {key: value for key, value in found.tensors.items() if key.split("/")[1] not in fresh}
    return replace(found, tensors={**kept, **of_networks(fresh).tensors})


def _of_source(plan: Plan, source: Domain, target: Domain) -> Snapshot:
    """The weights to begin with, learnt from the source by what the method is compared with."""
    name = problem_called(plan.method.problem).baselines(plan, source, target)[BASELINE]
    baseline = replace(plan, method=make_method(name, {}))
    return taken_over(of_networks(fit(baseline, source, target).nets), name, plan)


def fit(
    plan: Plan, source: Domain, target: Domain, hooks: Hooks | None = None, start: Snapshot | None = None
) -> Fitted:
    """Train from the start to the end.

    Args:
        plan: how.
        source: labelled source, in its raw form.
        target: the target likewise.
        hooks: what to record.
        start: the weights to begin with; by default fresh ones or, where a model stands for the source, those of one
            that is trained on it first.
    """
    problem = problem_called(plan.method.problem)
    if start is None and problem.begins_with_model:
        start = _of_source(plan, source, target)
    trainer = make_trainer(plan, source, target, hooks or Hooks(), start=start)
    with seeded(training_seed(plan.options.seed, trainer.processes.rank), trainer.device):
        trainer.train()
    return Fitted(plan, trainer.nets, trainer.device)
