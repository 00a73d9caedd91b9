"""A search over options as one job: optuna proposes values, each trial is a run of its own.

Tree-structured Parzen estimators propose (Bergstra et al. 2011); a trial whose validation score
falls below the median of the trials before it, at the same epoch, ends early; one that cannot be
trained is told with its reason, and passed over. The study stands in the run's folder, so that a
search that was stopped or killed goes on, in the trial under way too. What is maximised is the
validation score of the epoch that would be kept; the best trial becomes the model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgcore.datasets.packed import PackedData
from ecgcore.jobs.failures import sentence_of_trial
from ecgcore.jobs.folder import TRIALS_SAID, epochs_of, trial_folder
from ecgcore.jobs.search_space import Dimension, Search, with_values
from ecgcore.jobs.values import JobError
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import CheckpointError
from ecgcore.training.members import train_model
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.watching import RunStopped, Watch

if TYPE_CHECKING:
    import optuna

_JOURNAL = "study.journal"
_SENTENCES, _DEATHS, _STOPPED = "sentences", "deaths", "stopped"
_MOST_DEATHS = 3
"""So often a trial's process may end without a word before its first epoch."""
_WARM_UP_TRIALS = 5
Report = Callable[[dict[str, Any]], None]


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
    _take_up(study, folder)
    asked = options.to_json()
    while (over := len(_ended(study))) < search.trials:
        if watch.wants_stop():
            raise RunStopped(f"saved after {over} of {search.trials} trials")
        trial = study.ask()
        watch.trial(over + 1, search.trials)
        values = {name: _drawn(trial, name, one) for name, one in search.space.items()}
        _write(study, folder)
        told = with_values(asked, values)
        _try(study, trial, told, data, folder=trial_folder(folder, over + 1), report=report,
             watch=watch)  # fmt: skip
        _write(study, folder)
    ended = _ended(study)
    complete = [one for one in ended if one.state.name == "COMPLETE"]
    if not complete:
        raise JobError(
            f"none of {search.trials} trials could be trained; see {TRIALS_SAID} for the reasons "
            "and search within other bounds"
        )
    best = max(complete, key=lambda one: one.value or 0.0)
    place = trial_folder(folder, ended.index(best) + 1)
    return options_from_json(with_values(asked, best.params)), place


def _try(
    study: optuna.Study,
    trial: optuna.Trial,
    told: dict[str, Any],
    data: PackedData,
    *,
    folder: Path,
    report: Report,
    watch: Watch,
) -> None:
    """One trial to its end, early where it is below the median."""
    import optuna

    number = int(folder.name)

    def note(row: dict[str, Any]) -> None:
        if "member" not in row and name in row:
            trial.report(row[name], row["epoch"])

    def tell(row: dict[str, Any]) -> None:
        report({"trial": number, **row})
        note(row)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        options = options_from_json(told)
        name = f"validation_{options.best_by}"
        for row in epochs_of(folder):  # of a trial that is taken up again
            note(row)
        train_model(options, data, folder, tell, watch=watch)
        score = score_of(epochs_of(folder), options)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except RunStopped:
        trial.set_user_attr(_STOPPED, True)
        raise
    except CheckpointError:
        raise  # of the folder, not of the values
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        _fail(study, trial.number, sentence_of_trial(error))
    else:
        study.tell(trial, score)


def score_of(rows: tuple[dict[str, Any], ...], options: TrainOptions) -> float:
    """The validation score of a trial from its epochs: of the epoch that is kept, the best or the
    last; the mean of several members."""
    name = f"validation_{options.best_by}"
    members: dict[int, list[float]] = {}
    for row in rows:
        members.setdefault(row.get("member", 1), []).append(float(row[name]))
    kept = [one[-1] if options.keep == "last" else max(one) for one in members.values()]
    return float(np.mean(kept))


def _fail(study: optuna.Study, number: int, sentence: str) -> None:
    """A trial that cannot be trained, with the reason."""
    from optuna.trial import TrialState

    study.set_user_attr(_SENTENCES, {**_sentences(study), str(number): sentence})
    study.tell(number, state=TrialState.FAIL)


def _sentences(study: optuna.Study) -> dict[str, str]:
    """Why trials could not be trained, by their number in the study."""
    found: dict[str, str] = study.user_attrs.get(_SENTENCES, {})
    return found


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
    study = optuna.create_study(
        study_name="search",
        storage=JournalStorage(JournalFileBackend(journal, lock_obj=Held(journal))),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_WARM_UP_TRIALS),
        direction="maximize",
        load_if_exists=True,
    )
    # Another seed each time it goes on: the same one would draw the first values again.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials()))
    return study


def _take_up(study: optuna.Study, folder: Path) -> None:
    """A trial that a stop or a kill left open is asked again; its number and folder are the same,
    as trials are done one after the other. One that only dies is passed over."""
    from optuna.trial import TrialState

    place = trial_folder(folder, len(_ended(study)) + 1)
    for open_ in study.get_trials(states=(TrialState.RUNNING,)):
        died = not open_.user_attrs.get(_STOPPED) and not epochs_of(place)
        deaths = int(open_.user_attrs.get(_DEATHS, 0)) + died
        if deaths >= _MOST_DEATHS:
            sentence = (
                f"Its process ended without a word {deaths} times before the first epoch; most "
                "likely the memory ran out."
            )
            _fail(study, open_.number, sentence)
            continue
        study.tell(open_.number, state=TrialState.FAIL)
        if open_.params:
            study.enqueue_trial(open_.params, user_attrs={_DEATHS: deaths})


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials that came to an end of their own, in their order: one that was taken up again does
    not count where it was left."""
    said = _sentences(study)
    return [
        one for one in study.get_trials()
        if one.state.is_finished() and (one.state.name != "FAIL" or str(one.number) in said)
    ]  # fmt: skip


def _drawn(trial: optuna.Trial, name: str, one: Dimension) -> Any:
    if one.choices:
        return trial.suggest_categorical(name, one.choices)
    if one.low is None or one.high is None:
        raise JobError(f"{name} has neither choices nor bounds")
    if one.whole:
        return trial.suggest_int(name, int(one.low), int(one.high), log=one.log)
    return trial.suggest_float(name, one.low, one.high, log=one.log)


def _write(study: optuna.Study, folder: Path) -> None:
    """The trials for people, see ``folder.trials_of``; a score is that of a whole trial."""
    said = _sentences(study)
    at_work = [one for one in study.get_trials() if one.state.name == "RUNNING"]
    rows = [
        {
            "number": number, "values": one.params, "state": one.state.name.lower(),
            "score": one.value if one.state.name == "COMPLETE" else None,
            "sentence": said.get(str(one.number), ""),
        }
        for number, one in enumerate([*_ended(study), *at_work], start=1)
    ]  # fmt: skip
    write_json(folder / TRIALS_SAID, rows)
