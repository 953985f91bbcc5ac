"""Methods of other libraries on public tasks of vectors: our splits, our inputs, their defaults, one base classifier.

    python benchmarks/peers/vectors.py skada TASK…    # adds to benchmarks/results/checks/peers-skada.json

Runs in the library's own environment, with acclimate's sources on the path. Every method gets what our networks get,
the features normalised as the task's recipe has it, and is scored on the examples that our rows are scored on. What
is measured is not measured again; what needs more than LIMIT seconds of computing is given up and told so.
"""

from __future__ import annotations

import importlib.metadata
import json
import signal
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from acclimate.data.tasks import load_task
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.problems.planning import make_plan

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 30
Sides = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Answer = Callable[[Sides], np.ndarray]


def sides(name: str) -> tuple[Sides, np.ndarray]:
    """Source, its labels, target, and what is scored, all as networks get them; then the labels of the latter."""
    task = load_task(name)
    recipe = tomllib.loads((ROOT / "recipes" / f"{name.partition(':')[0]}.toml").read_text(encoding="utf-8"))
    asked = {key: value for key, value in recipe["training"].items() if key == "normalisation"}
    plan = make_plan(SourceOnly(), task.source, task.target, network=recipe["network"], options=asked)
    scored = task.target if task.target_test is None else task.target_test
    assert task.hidden is not None
    labels = task.hidden.target if task.target_test is None else task.hidden.target_test
    assert labels is not None
    reads = [("source", task.source), ("target", task.target), ("target", scored)]
    x, t, asked_for = (_read(plan.preprocess.of(side), domain) for side, domain in reads)
    return (x, np.asarray(task.source.labels), t, asked_for), labels


def _read(preprocess: Any, domain: Any) -> np.ndarray:
    return preprocess.batch(preprocess.fit(domain).array, None).numpy().astype(np.float64)


def base() -> LogisticRegression:
    return LogisticRegression(max_iter=1000)


def of_skada() -> dict[str, Answer]:
    """Methods that take vectors as they are, of one source; those that weigh by densities are hopeless in so many."""
    import skada

    def made(make: Callable[..., Any], *, weighs: bool = False, **options: Any) -> Answer:
        def answer(given: Sides) -> np.ndarray:
            x, y, t, asked = given
            own = base().set_fit_request(sample_weight=True) if weighs else base()
            model = make(own, **options)
            # Target labels are masked: −1 for classification.
            both, labels = np.concatenate([x, t]), np.concatenate([y, np.full(len(t), -1)])
            model.fit(both, labels, sample_domain=np.repeat([1, -2], [len(x), len(t)]))
            return np.asarray(model.predict(asked, sample_domain=np.full(len(asked), -2)))

        return answer

    return {
        "CORAL": made(skada.CORAL),
        "SubspaceAlignment": made(skada.SubspaceAlignment),
        "TransferComponentAnalysis": made(skada.TransferComponentAnalysis),
        "OTMapping": made(skada.OTMapping),
        "EntropicOTMapping": made(skada.EntropicOTMapping),
        "ClassRegularizerOTMapping": made(skada.ClassRegularizerOTMapping),
        "LinearOTMapping": made(skada.LinearOTMapping),
        "OTLabelProp": made(skada.OTLabelProp),
        "JDOTClassifier": made(skada.JDOTClassifier, weighs=True),
        "DiscriminatorReweight": made(skada.DiscriminatorReweight, weighs=True),
        "KMMReweight": made(skada.KMMReweight, weighs=True),
        "MMDTarSReweight": made(skada.MMDTarSReweight, weighs=True),
        "DASVMClassifier": made(lambda _: skada.DASVMClassifier()),
    }


def of_adapt() -> dict[str, Answer]:
    """Likewise; its other methods are networks on TensorFlow."""
    from adapt import feature_based, instance_based

    def made(make: Callable[..., Any]) -> Answer:
        def answer(given: Sides) -> np.ndarray:
            x, y, t, asked = given
            model = make(base(), Xt=t, verbose=0, random_state=0)
            return np.asarray(model.fit(x, y).predict(asked))

        return answer

    return {
        "CORAL": made(feature_based.CORAL),
        "SA": made(feature_based.SA),
        "FMMD": made(feature_based.FMMD),
        "KMM": made(instance_based.KMM),
        "KLIEP": made(instance_based.KLIEP),
        "LDM": made(instance_based.LDM),
        "ULSIF": made(instance_based.ULSIF),
        "NearestNeighborsWeighting": made(instance_based.NearestNeighborsWeighting),
    }


LIBRARIES: Mapping[str, Callable[[], dict[str, Answer]]] = {"skada": of_skada, "adapt": of_adapt}


class TooLongError(Exception):
    """A method that had its time."""


def measured(answer: Answer, given: Sides, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy and seconds of computing, or why there is none."""

    def stop(*_: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    start = time.process_time()
    try:
        right = float((answer(given) == labels).mean())
    except TooLongError:
        return {"failed": f"over {LIMIT} s of computing"}
    except Exception as error:  # whatever a library raises is what its user gets
        return {"failed": f"{type(error).__name__}: {error}"[:200]}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"accuracy": round(right, 5), "seconds": round(time.process_time() - start, 2)}


def main() -> None:
    library, *tasks = sys.argv[1:]
    warnings.simplefilter("ignore")
    methods = {"base": lambda given: base().fit(*given[:2]).predict(given[3]), **LIBRARIES[library]()}
    out = ROOT / "results" / "checks" / f"peers-{library}.json"
    found = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {"tasks": {}}
    found |= {"command": f"python benchmarks/peers/vectors.py {library} TASK…", "library": library}
    found["version"] = importlib.metadata.version(library)
    for name in tasks:
        rows = found["tasks"].setdefault(name.replace(":", "-"), {})
        if not (missing := [method for method in methods if method not in rows]):
            continue
        given, labels = sides(name)
        for method in missing:
            rows[method] = measured(methods[method], given, labels)
            print(name, method, rows[method], flush=True)
            out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
