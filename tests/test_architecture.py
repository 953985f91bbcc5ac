"""The shape of the house: who may import whom, what loads what, what is public."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import acclimate
from acclimate import discovery
from acclimate.errors import RequestError
from acclimate.methods.facts import Facts
from acclimate.runs.options import check_declared, validated

PACKAGE = Path(acclimate.__file__).parent
ROOT = Path(__file__).parents[1]
# Each tier may import itself and the tiers before it.
TIERS = [
    {"types", "errors", "discovery"},
    {"data"},
    {"networks", "objectives"},
    {"methods", "streams"},
    {"metrics", "runs", "selection"},
    {"training"},
    {"inputs"},
    {"problems"},
    {"running", "reports", "serving"},
    {"arguments", "regressors", "estimators", "export", "stored_estimators", "sample_domain", "auto", "test_time"},
    {"cli", "__main__"},
]
TIER_OF = {unit: number for number, tier in enumerate(TIERS) for unit in tier}
REFUSALS = {"RequestError", "DataError", "AbsentError"}
FILES = sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """First-level units of acclimate that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("acclimate"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("acclimate.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_imports_to_its_right(path: Path) -> None:
    unit = unit_of(path)
    if unit == "__init__":
        return
    for other in imports(path) - {"__version__"}:
        assert TIER_OF[other] <= TIER_OF[unit], f"{path.relative_to(PACKAGE)} imports acclimate.{other}"


def test_reports_and_training_do_not_know_each_other() -> None:
    for path in FILES:
        if unit_of(path) == "reports":
            assert not imports(path) & {
                "running",
                "training",
                "problems",
                "inputs",
                "methods",
                "networks",
                "objectives",
            }, path
        if unit_of(path) in {"inputs", "problems", "running", "training"}:
            assert "reports" not in imports(path), path


def test_serving_knows_nothing_of_training_and_nothing_but_programs_know_it() -> None:
    for path in FILES:
        if unit_of(path) == "serving":
            assert imports(path) <= {"serving", "data", "metrics", "networks", "runs", "types", "errors"}, path
        if unit_of(path) in {"inputs", "problems", "reports", "running", "training"}:
            assert "serving" not in imports(path), path


def module_of(path: Path) -> str:
    return ".".join(("acclimate", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_there_are_no_import_cycles() -> None:
    modules = {module_of(path): path for path in FILES}

    def targets(path: Path) -> set[str]:
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):  # late imports and those for types too
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                found |= {f"{node.module}.{a.name}" for a in node.names} & set(modules) or {node.module}
        return found

    graph = {name: targets(path) for name, path in modules.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        if name in done:
            return
        for other in graph[name]:
            visit(other, (*path, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return set(out.split())


HEAVY = {"torch", "numpy", "sklearn", "scipy", "polars", "matplotlib", "PIL", "accelerate", "pooch", "pydantic"}


@pytest.mark.parametrize(
    "code",
    [
        "import acclimate",
        "import acclimate; dir(acclimate)",
        "import acclimate.cli.main",
        "from acclimate import discovery; discovery.methods()",
    ],
)
def test_first_contact_is_light(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_run_records_need_no_torch() -> None:
    assert "torch" not in loaded_after("import acclimate.runs.record, acclimate.runs.options, acclimate.reports.page")


@pytest.mark.parametrize(
    "code", ["import acclimate.running.adaptation", "import acclimate.methods.classification.mcd"]
)
def test_training_loads_no_more_of_scipy_than_it_needs(code: str) -> None:
    """Each of these takes a tenth of a second to a second, and most methods need none."""
    assert not loaded_after(code) & {"sklearn", "scipy.stats", "scipy.optimize", "matplotlib"}


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_run_that_is_not_compiled_does_not_load_the_compiler(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes as long as loading torch."""
    code = (
        "from acclimate.data.synthetic import shifted_blobs; from acclimate.running.adaptation import adapt\n"
        "from acclimate.runs.request import Request; import numpy as np; world = shifted_blobs(20)\n"
        "np.savez('source.npz', X=world.source.inputs, y=world.source.labels)\n"
        "np.savez('target.npz', X=world.target.inputs)\n"
        f"options = {{'steps': 2, 'batch_size': 8, 'optimizer': {optimizer!r}, 'precision': 'fp32'}}\n"
        "adapt(Request(source='source.npz', target='target.npz', method='dann', training=options), 'run')"
    )
    monkeypatch.chdir(tmp_path)
    assert "torch._dynamo" not in loaded_after(code)


def test_an_index_needs_no_torch_and_no_extra() -> None:
    assert not loaded_after("import acclimate.serving.index") & {"torch", "usearch", "qdrant_client", "sklearn"}


def test_public_names_exist_are_sorted_and_documented() -> None:
    names = dir(acclimate)
    assert names == sorted(names)
    for name in names:
        value = getattr(acclimate, name)
        assert name.startswith("__") or (value.__doc__ or "").strip(), name


def test_every_method_is_public_under_its_class_name() -> None:
    for component in discovery.methods().values():
        assert getattr(acclimate, component.class_name).__name__ == component.class_name


def test_no_file_is_longer_than_can_be_taken_in() -> None:
    """Who reaches the end of one looks for a second thing in it that deserves a file."""
    assert not {str(path): n for path in FILES if (n := len(path.read_text().splitlines())) > 400}


def test_every_file_says_what_it_is_for() -> None:
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text())), path


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_refusal_names_the_next_move(path: Path) -> None:
    """`RequestError(argument, rule, got, fix)`: the last is optional for programs, not for this library."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
            assert len(node.args) == 4, f"line {node.lineno}"


def test_configuration_and_weights_are_data_never_code() -> None:
    """No unpickling, no evaluation; NumPy is told so at every load."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "dill", "cloudpickle", "marshal", "shelve", "yaml"}, path
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "torch.load", "joblib.load", "pickle.load", "pickle.loads"}, path
            if called == "np.load":
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert given.get("allow_pickle") == "False", f"{path}, line {node.lineno}"


# What Python 3.12 and 3.13 have taken out of the standard library (PEP 594 and PEP 632, asynchat and imp).
GONE = {
    *(
        "aifc",
        "asynchat",
        "asyncore",
        "audioop",
        "cgi",
        "cgitb",
        "chunk",
        "crypt",
        "distutils",
        "imghdr",
        "imp",
        "lib2to3",
    ),
    *("mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau", "telnetlib"),
    *("uu", "xdrlib"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_is_imported_that_newer_pythons_lack(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    assert not {name.partition(".")[0] for name in named} & GONE


# Whatever takes seconds to import; what is left, NumPy too, takes tenths.
SLOW = {"torch", "sklearn", "scipy.stats", "polars", "matplotlib", "accelerate"}
MISTAKES = [
    ("adapt", "--task", "demo", "--set", "epoch=3"),
    ("adapt", "--task", "demo", "-m", "mcd", "--set", "nn=3"),
    ("adapt", "--source", "a.csv", "--target", "b.csv", "--set", "epoch=3"),
    ("adapt", "--task", "demo", "-m", "mcd", "--epochs", "0"),
    ("adapt", "--task", "demo", "-m", "mcdd"),
    ("adapt", "--task", "demo", "-m", "mcd", "--set", "n=0"),
    ("adapt", "--task", "demo", "-m", "mcd", "--set", "n=x"),
    ("adapt", "--source", "nowhere.csv", "--target", "nowhere.csv"),
    ("adapt", "--source", "nowhere.csv", "--target", "nowhere.csv", "-m", "mcd"),
    ("adapt", "--task", "dmo", "-m", "mcd"),
    ("adapt", "--task", "dmo"),
    ("diagnose", "--task", "dmo"),
    ("diagnose", "a.csv", "b.csv", "--task", "demo"),
    ("compare", "--task", "demo", "--methods", "mcdd"),
    ("compare", "--task", "dmo", "--methods", "mcd"),
    ("compare", "--task", "demo", "--methods", "mcd", "--backend", "dsk"),
    ("methods", "mcdd"),
    *((command, "nowhere", *more) for command, more in {
        "resume": (), "report": (), "evaluate": ("--data", "x"), "predict": ("x",), "translate": ("x",),
        "index": ("x",), "search": ("x.png",), "serve": (), "audit": (), "export": ("out",),
        "benchmark": ("out", "--run", "nowhere"), "cross-validate": (),
    }.items()),
]  # fmt: skip


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_before_anything_slow_is_imported(words: tuple[str, ...]) -> None:
    program = (
        f"import sys\nsys.argv = ['acclimate', *{words!r}]\nfrom acclimate.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    print(stop.code, *sys.modules)"
    )
    code, *loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert code == "2"
    assert not set(loaded) & SLOW


def test_the_options_of_a_method_are_known_without_importing_it() -> None:
    for component in discovery.methods().values():
        assert list(component.options) == list(component.load().model_fields), component.name


def test_what_an_option_may_be_is_known_without_importing_its_method() -> None:
    """As the class has it: whatever is refused by what its source says is refused by the class too."""
    refused = 0
    for component in discovery.methods().values():
        for field in component.declared:
            arguments = dict(field.arguments)
            check_declared(component, {field.name: arguments["default"]} if "default" in arguments else {})
            for bound, step in (("ge", -1), ("gt", 0), ("le", 1), ("lt", 0)):
                if bound in arguments:
                    wrong = {field.name: arguments[bound] + step}
                    with pytest.raises(RequestError, match=f"^{field.name} must"):
                        check_declared(component, wrong)
                    with pytest.raises(RequestError, match=f"^{field.name} must"):
                        validated(component.load(), wrong, "option")
                    refused += 1
    assert refused > 50


def test_an_estimator_needs_nothing_of_scikit_learn_but_its_base_and_draws_nothing() -> None:
    loaded = loaded_after("import acclimate; acclimate.DANN")
    parts = {name.split(".")[1] for name in loaded if name.startswith("sklearn.")}
    assert parts & {"manifold", "neighbors", "linear_model", "decomposition", "cluster", "svm"} == set()
    assert not loaded & {"matplotlib", "jinja2"}


def test_tests_share_modules_and_no_conftest() -> None:
    """Whichever conftest was loaded first would answer to the name: folders of tests could not run together."""
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.module == "conftest"), path


# What others may read of a method; what follows from its other facts they ask of its problem, or of `methods.needs`.
FACTS_FOR_PEOPLE = {"name", "also", "title", "paper", "recipe", "problem"}


def asked_of_methods(path: Path, facts: set[str]) -> set[str]:
    """Facts that a file reads of a method, as an attribute or as a discovered component's fact."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] in {"method", "_method"}:
            found |= {node.attr} & facts
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"fact", "_fact"}:
            found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)} & facts
    return found


def test_what_is_to_be_done_with_a_method_its_problem_knows() -> None:
    facts = set(Facts.__annotations__) - FACTS_FOR_PEOPLE
    assert len(facts) == 5, "a new fact of methods is asked for by whom, and could its problem not know it?"
    others = [path for path in FILES if unit_of(path) not in {"problems", "methods"}]
    assert not {path: asked for path in others if (asked := asked_of_methods(path, facts))}


def test_a_method_states_facts_that_somebody_asks_for() -> None:
    for component in discovery.methods().values():
        stated = {name for name in component.load().__annotations__ if name not in component.load().model_fields}
        assert stated <= set(Facts.__annotations__), component.name


def test_what_a_method_can_do_is_not_found_by_comparing_functions() -> None:
    for path in FILES:
        assert "is not Method." not in (text := path.read_text(encoding="utf-8")), path
        assert "is Method." not in text, path


def test_a_method_says_by_its_types_what_it_is_built_of() -> None:
    """No assertion on an architecture: the annotation is the declaration, and planning gives nothing else."""
    for path in (PACKAGE / "methods").rglob("*.py"):
        assert "assert isinstance(architecture" not in path.read_text(encoding="utf-8"), path


def test_a_problem_is_a_class_of_its_own() -> None:
    from acclimate.problems.base import Problem, problem_called

    decides = [name for name, member in vars(Problem).items() if callable(member) and not name.startswith("_")]
    assert len(decides) <= 17, "more than a problem should have to say"
    for name in discovery.problems():
        assert type(problem_called(name)).__bases__ == (Problem,), "problems share functions, not ancestors"
    used = {component.fact("problem", "adaptation") for component in discovery.methods().values()}
    assert used == set(discovery.problems())


SCRIPTS = [p for room in ("benchmarks", "docs", "examples") for p in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_scripts_import_what_there_is(path: Path) -> None:
    """No linter follows them into the package, and most are run by hand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("acclimate"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
