"""The command line: everything the pages do, for scripts and clusters.

With ``--json`` a command prints one JSON object a line, in input order, and nothing else on
standard output. Exit status: 0 all done, 3 some input was refused (its line is ``{"file", "error",
"message"}``), 2 wrong usage or a place that cannot be written to, 130 interrupted by the user, 1
another worker was lost (under torchrun, see ``training.distributed``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ecgcore import DISCLAIMER
from ecgcore.cli_data import add_data_arguments, run_data
from ecgcore.cli_fusion import add_fuse_arguments, run_fuse
from ecgcore.cli_jobs import add_jobs_arguments, run_jobs
from ecgcore.cli_models import asked, explaining, model_rows, predictor_named, recipe_rows
from ecgcore.cli_review import (
    add_audit_arguments,
    add_labels_arguments,
    run_audit,
    run_labels,
)
from ecgcore.cli_shelf import (
    add_export_arguments,
    add_publish_arguments,
    add_withdraw_arguments,
    run_export,
    run_publish,
    run_withdraw,
)
from ecgcore.cli_suspicion import add_suspicion_arguments, run_suspicion
from ecgcore.cli_training import (
    Show,
    add_pretrain_arguments,
    add_train_arguments,
    run_pretrain,
    run_train,
)
from ecgcore.cli_values import (
    DONE,
    GOES_ON,
    INTERRUPTED,
    LOST,
    REFUSED,
    USAGE,
    UsageError,
    add_changes,
    plain_prediction,
    plain_recording,
    refusal,
    refuse_overwriting,
    setting,
)
from ecgcore.readers.npz_export import save_npz
from ecgcore.readers.opening import read_path
from ecgcore.readers.stated import Stated
from ecgcore.recording import Recording, RecordingError, complete_limb_leads

_METHODS = ("network", "gradient", "neurokit")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    from ecgcore.models.card import CardError

    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except BrokenPipeError:  # nobody reads on, as in `... | head -1`: no reason for a message
        return USAGE
    except (UsageError, CardError, OSError) as error:
        print(f"ecgcore {given.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        lasting = given.command in ("train", "pretrain", "data")
        more = GOES_ON if lasting else ""
        print(f"ecgcore {given.command}: interrupted{more}", file=sys.stderr)
        return INTERRUPTED
    return status


_Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ecgcore", description=f"ECG Lightbox. {DISCLAIMER}.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=f"{text}. {DISCLAIMER}.")
        sub.add_argument("--json", action="store_true", help="one JSON object a line")
        sub.set_defaults(run=run)
        return sub

    read = command("read", _read, "Read recordings and say what is in them")
    _add_files(read)
    read.add_argument("--npz", type=Path, metavar="DIR", help="write DIR/<file stem>.npz for each")
    _add_signal_commands(command)
    _add_model_commands(command)
    add_train_arguments(
        command("train", _printing(run_train), "Train a network, or go on with a run")
    )
    text = "Pre-train a network on records without their labels, or go on with it"
    add_pretrain_arguments(command("pretrain", _printing(run_pretrain), text))
    text = "Fit how a trained HRNN weighs its rules, and score it with and without them"
    add_fuse_arguments(command("fuse", _printing(run_fuse), text))
    text = "Training runs that outlive this terminal: start, list, pause, resume, stop, log, tend"
    add_jobs_arguments(command("jobs", _printing(run_jobs), text))
    add_data_arguments(command("data", _data, "Public data sets: list, fetch, pack"))
    add_suspicion_arguments(
        command(
            "suspicion",
            _printing(run_suspicion),
            "Which labels of packed data are doubtful, and why",
        )
    )
    text = "Labels on file and decisions about them: add, import, list, snapshot, export, assign"
    add_labels_arguments(command("labels", _printing(run_labels), text))
    add_audit_arguments(
        command("audit", _printing(run_audit), "Verify that no review was changed or removed")
    )
    return parser


def _add_signal_commands(command: _Command) -> None:
    delineate = command("delineate", _delineate, "Where each P wave, QRS complex and T wave is")
    measure = command("measure", _measure, "Rate, intervals, axes, and amplitudes of every lead")
    rules = command("rules", _rules, "What published criteria say of recordings")
    for reading in (delineate, measure, rules):
        _add_files(reading)
    for reading in (delineate, measure):
        reading.add_argument(
            "--method", choices=_METHODS, default=_METHODS[0], help="how waves are found"
        )
    rules.add_argument(
        "--criteria", choices=("clinical", "paper"), default="clinical", help="which criteria"
    )
    simulate = command("simulate", _simulate, "Write simulated recordings with their true marks")
    simulate.add_argument("presets", nargs="*", metavar="PRESET", help="none: list them")
    simulate.add_argument("--out", type=Path, metavar="DIR", help="where to write")
    add_changes(simulate, "change a preset's options")


def _add_model_commands(command: _Command) -> None:
    predict = command("predict", _predict, "What a trained model says about recordings")
    _add_files(predict)
    predict.add_argument(
        "--shards",
        type=Path,
        metavar="DIR",
        help="keep answers in DIR too; the same command then goes on where it was stopped",
    )
    explain = command("explain", _explain, "Where a model found its evidence, tested by deletion")
    _add_files(explain)
    explain.add_argument("--label", required=True, metavar="CODE", help="a label that it answers")
    explain.add_argument(
        "--label-set", metavar="SET", help="statements or superclasses, where both have the code"
    )
    explain.add_argument(
        "--method", help="grad-cam, hires-cam or lime (default: the one that tested best)"
    )
    report = command("report", _report, "Write a PDF of each recording: paper, findings, answers")
    _add_files(report)
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    report.add_argument(
        "--identifiers", action="store_true", help="print the patient's ID and the file's free text"
    )
    evaluate = command("evaluate", _evaluate, "Score a trained model on packed data sets")
    for asking in (predict, explain, report, evaluate):
        asking.add_argument(
            "--model",
            required=True,
            help="a trained model's name, see models; or its folder, RUN/model",
        )
    evaluate.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACKED.npz")
    command("models", _models, "List networks and trained models")
    _add_shelf_commands(command)
    recipes = command("recipes", _recipes, "List training recipes, with the source of each number")
    recipes.add_argument(
        "names", nargs="*", metavar="NAME", help="whole; none: all, in brief (whole with --json)"
    )


def _add_shelf_commands(command: _Command) -> None:
    add_publish_arguments(
        command("publish", _printing(run_publish), "Put a trained model on the review page")
    )
    add_withdraw_arguments(
        command("withdraw", _printing(run_withdraw), "Take a model off the review page")
    )
    text = "Write a trained model as ONNX, checked against its answers here"
    add_export_arguments(command("export", _printing(run_export), text))


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--sampling-rate", type=float, metavar="HZ", help="for tables that do not state their rate"
    )
    parser.add_argument("--unit", metavar="mV|uV|V", help="for tables that do not state their unit")


def _read(given: argparse.Namespace) -> int:
    written: dict[Path, str] = {}

    def show(path: Path, recording: Recording) -> dict[str, Any]:
        if given.npz:
            target = given.npz / f"{path.stem}.npz"
            refuse_overwriting(target, recording, written, given.files)
            save_npz(target, recording)
        return plain_recording(path, recording)

    return _each_recording(given, show)


def _predict(given: argparse.Namespace) -> int:
    from ecgcore.cli_shards import answers, open_shards
    from ecgcore.training.distributed import WorkerLost, working_together

    def answer(path: Path) -> dict[str, Any]:
        return _answer(
            given, path, lambda recording: plain_prediction(path, predictor.predict(recording))
        )

    refused = False
    try:
        with working_together() as workers:
            predictor = predictor_named(given.model)
            shards = given.shards and open_shards(given.shards, asked(given, predictor), workers)
            for row in answers(given.files, answer, workers, shards):
                refused = refused or "error" in row
                _print(row, given.json)
    except WorkerLost as error:
        again = GOES_ON if given.shards else "; give the command again"
        print(f"ecgcore predict: {error}{again}", file=sys.stderr)
        return LOST
    return REFUSED if refused else DONE


def _explain(given: argparse.Namespace) -> int:
    return _each_recording(given, explaining(given))


def _report(given: argparse.Namespace) -> int:
    from ecgcore.cli_report import reporting

    return _each_recording(given, reporting(given))


def _delineate(given: argparse.Namespace) -> int:
    from ecgcore.cli_signal import plain_delineation

    return _each_recording(
        given, lambda path, recording: plain_delineation(path, recording, given.method)
    )


def _measure(given: argparse.Namespace) -> int:
    from ecgcore.cli_signal import plain_measurements

    return _each_recording(
        given, lambda path, recording: plain_measurements(path, recording, given.method)
    )


def _rules(given: argparse.Namespace) -> int:
    from ecgcore.cli_signal import plain_findings

    return _each_recording(given, lambda path, ecg: plain_findings(path, ecg, given.criteria))


def _simulate(given: argparse.Namespace) -> int:
    from ecgcore.cli_signal import simulated_presets, write_simulated

    if not given.presets or given.out is None:
        for row in simulated_presets():
            _print(row, given.json)
        return DONE
    changes = dict(setting(word) for word in given.set)
    try:
        for preset in given.presets:
            _print(write_simulated(preset, changes, given.out), given.json)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    return DONE


def _each_recording(
    given: argparse.Namespace, show: Callable[[Path, Recording], dict[str, Any]]
) -> int:
    """Read every file, print what ``show`` makes of it, or its refusal."""
    refused = False
    for path in given.files:
        row = _answer(given, path, partial(show, path))
        refused = refused or "error" in row
        _print(row, given.json)
    return REFUSED if refused else DONE


def _answer(
    given: argparse.Namespace, path: Path, show: Callable[[Recording], dict[str, Any]]
) -> dict[str, Any]:
    """What ``show`` makes of a file, or its refusal."""
    stated = Stated(given.sampling_rate, given.unit)
    try:
        return show(complete_limb_leads(read_path(path, stated)))
    except RecordingError as error:
        return refusal(path, error)


def _evaluate(given: argparse.Namespace) -> int:
    from ecgcore.datasets.packed import PackedDataError, load_packed
    from ecgcore.evaluation.evaluate import evaluate

    predictor = predictor_named(given.model)
    refused = False
    for path in given.data:
        try:
            shown = {"file": str(path), **evaluate(predictor, load_packed(path))}
        except PackedDataError as error:
            refused = True
            shown = refusal(path, error)
        _print(shown, given.json)
    return REFUSED if refused else DONE


def _models(given: argparse.Namespace) -> int:
    refused = False
    for row in model_rows():
        refused = refused or "error" in row
        _print(row, given.json)
    return REFUSED if refused else DONE


def _recipes(given: argparse.Namespace) -> int:
    for row in recipe_rows(given.names, whole=bool(given.names) or given.json):
        _print(row, given.json)
    return DONE


def _data(given: argparse.Namespace) -> int:
    return REFUSED if run_data(given, lambda row: _print(row, given.json)) else DONE


def _printing(
    run: Callable[[argparse.Namespace, Show], int],
) -> Callable[[argparse.Namespace], int]:
    """A command that is told how its rows are printed."""
    return lambda given: run(given, lambda row: _print(row, given.json))


def _print(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(row, allow_nan=False), flush=True)  # ASCII: safe for every file name
        return
    for key, value in row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"{key}:")
            for part in value:
                print("  " + "  ".join(f"{k} {_text(v)}" for k, v in part.items()))
        elif isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            print(f"{key}:")
            for name, part in value.items():
                print(f"  {name}: {_text(part)}")
        else:
            print(f"{key}: {_text(value)}")
    print(flush=True)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value) or "-"
    if isinstance(value, dict):
        return "; ".join(f"{k} {_text(v)}" for k, v in value.items()) or "-"
    return "-" if value is None else str(value)
