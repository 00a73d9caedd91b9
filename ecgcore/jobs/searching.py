"""A search over options as one job: optuna proposes values, each trial is a run of its own.

Tree-structured Parzen estimators propose (Bergstra et al. 2011); a trial whose validation score
falls below the median of the trials before it, at the same epoch, ends early. The study stands in
the run's folder, so that a search that was stopped or killed goes on, in the trial under way too.
What is maximised is the validation score of the best epoch; the best trial becomes the model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.datasets.packed import PackedData
from ecgcore.jobs.folder import TRIALS
from ecgcore.jobs.search_space import Dimension, Search, with_values
from ecgcore.jobs.values import JobError
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.members import train_model
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.watching import Watch

if TYPE_CHECKING:
    import optuna

TRIALS_SAID = "trials.json"
_JOURNAL = "study.journal"
_FOLDER = "folder"
_WARM_UP_TRIALS = 5
Report = Callable[[dict[str, Any]], None]


def trials_of(folder: Path) -> tuple[dict[str, Any], ...]:
    """The trials of a search so far: number (from 1), values, score (None: none), state ("running",
    "complete", "pruned", "fail") and the sentence of one that failed."""
    try:
        rows = json.loads((folder / TRIALS_SAID).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def best_of(
    search: Search,
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    *,
    report: Report,
    watch: Watch,
) -> tuple[TrainOptions, Path]:
    """Do the trials, or the rest of them: the best one's options and its run's folder.

    Raises JobError without optuna or a trial that ended, RunStopped as a run does.
    """
    study = _study(folder, options.seed)
    _take_up(study)
    asked = options.to_json()
    while _ended(study) < search.trials:
        trial = study.ask()
        number = _ended(study) + 1
        where = f"{TRIALS}/{number:04d}"
        trial.set_user_attr(_FOLDER, where)
        watch.trial(number, search.trials)
        values = {name: _drawn(trial, name, one) for name, one in search.space.items()}
        _write(study, folder)
        told = options_from_json(with_values(asked, values))
        _try(study, trial, told, data, folder=folder / where, report=report, watch=watch)
        _write(study, folder)
    try:
        best = study.best_trial
    except ValueError as error:
        raise JobError(
            f"none of {search.trials} trials could be trained; see {TRIALS_SAID} for the reasons "
            "and search within other bounds"
        ) from error
    return options_from_json(with_values(asked, best.params)), folder / best.user_attrs[_FOLDER]


def _try(
    study: optuna.Study,
    trial: optuna.Trial,
    options: TrainOptions,
    data: PackedData,
    *,
    folder: Path,
    report: Report,
    watch: Watch,
) -> None:
    """One trial to its end, early where it is below the median."""
    import optuna

    name = f"validation_{options.best_by}"

    def tell(row: dict[str, Any]) -> None:
        report({"trial": int(folder.name), **row})
        if options.members == 1 and name in row:
            trial.report(row[name], row["epoch"])
            if trial.should_prune():
                raise optuna.TrialPruned

    try:
        trained = train_model(options, data, folder, tell, watch=watch)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except (TrainingError, ValueError) as error:
        trial.set_user_attr("sentence", str(error))
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, trained.progress.best_score)


def _study(folder: Path, seed: int) -> optuna.Study:
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    except ImportError as error:
        raise JobError(
            "searching needs optuna, which is not installed; install requirements.txt"
        ) from error

    class Held(JournalFileOpenLock):
        """The run's own lock is held already; one of a killed process must not be waited for."""

        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    journal = str(folder / _JOURNAL)
    return optuna.create_study(
        study_name="search",
        storage=JournalStorage(JournalFileBackend(journal, lock_obj=Held(journal))),
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_WARM_UP_TRIALS),
        direction="maximize",
        load_if_exists=True,
    )


def _take_up(study: optuna.Study) -> None:
    """A trial that a stop or a kill left open is asked again; its number and folder are the same,
    as trials are done one after the other."""
    from optuna.trial import TrialState

    for open_ in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(open_.number, state=TrialState.FAIL)
        if open_.params:
            study.enqueue_trial(open_.params)


def _ended(study: optuna.Study) -> int:
    """How many trials ended: one that was taken up again does not count where it was left."""
    from optuna.trial import TrialState

    over = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
    return sum(map(_is_told, over))


def _is_told(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial came to an end of its own."""
    return trial.state.name != "FAIL" or "sentence" in trial.user_attrs


def _drawn(trial: optuna.Trial, name: str, one: Dimension) -> Any:
    if one.choices:
        return trial.suggest_categorical(name, one.choices)
    if one.low is None or one.high is None:
        raise JobError(f"{name} has neither choices nor bounds")
    if one.whole:
        return trial.suggest_int(name, int(one.low), int(one.high), log=one.log)
    return trial.suggest_float(name, one.low, one.high, log=one.log)


def _write(study: optuna.Study, folder: Path) -> None:
    rows = [
        {
            "number": number, "values": one.params, "score": one.value,
            "state": one.state.name.lower(), "sentence": one.user_attrs.get("sentence", ""),
        }
        for number, one in enumerate(filter(_is_told, study.get_trials()), start=1)
    ]  # fmt: skip
    write_json(folder / TRIALS_SAID, rows)
