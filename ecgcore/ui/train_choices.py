"""The left of a new run: data and labels, recipe and network, what the network sees, whom it learns
from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ecgcore.datasets.data_facts import DataFacts
from ecgcore.labels import labels_of
from ecgcore.models.card import CARD, model_folders
from ecgcore.models.registry import network_entry, network_names
from ecgcore.recording import LEADS
from ecgcore.training.draft import Draft, draft_of_recipe
from ecgcore.training.objective_of import OBJECTIVES
from ecgcore.training.option_words import OPTION_WORDS
from ecgcore.training.recipes import recipe, recipes
from ecgcore.training.start import START
from ecgcore.ui import services, train_data
from ecgcore.ui.markdown import plain
from ecgcore.ui.train_options import DRAFT, draft, key_of, put, put_back, shown
from ecgcore.ui.train_search import put_search

_EVERY_PAPER = "All papers"
_OURS = "No paper: our own"
_NONE = ""
"""Stands for none in a list of choices."""
_SETS = ("superclasses", "statements", "subclasses", "form", "rhythm")


def show_choices(person: str, allowed: bool) -> None:
    """Everything that is chosen on the left."""
    _show_data(person)
    train_data.show_folder_look(allowed)
    _show_recipe()
    _show_network()


def show_seen(facts: DataFacts | None) -> None:
    """Labels, folds, leads, rate, teacher and start: at the top of the middle."""
    _labels_and_folds(facts)
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-input"):
        _leads()
        _rate()
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-models"):
        _folder_choice("teacher")
        _folder_choice("start")


def _show_data(person: str) -> None:
    files = train_data.found_files()
    now = draft()
    just_found = st.session_state.pop("train-found", None)
    if just_found:
        now = _with_data(now, tuple(dict.fromkeys([*just_found])))
        st.session_state["train-data-files"] = list(now.data)
    gone = [path for path in now.data if path not in files]
    offered = [*files, *gone]
    st.session_state.setdefault("train-data-files", list(now.data))
    kept = [path for path in st.session_state["train-data-files"] if path in offered]
    st.session_state["train-data-files"] = kept
    st.multiselect(
        "Data", offered, key="train-data-files", on_change=_take_data,
        format_func=train_data.name_of, placeholder="Choose packed data",
        help="Several are learned from together; no recording may stand in two of them. Packed "
        "files of this workspace, and those found in folders.",
    )  # fmt: skip
    train_data.show_chosen(now.data)
    known = train_data.taken_snapshots(person)
    names = {one.hash: f"{one.hash[:8]} · {one.taken_at[:16].replace('T', ' ')}" for one in known}
    hashes = [_NONE, *names]
    if now.snapshot is not None and now.snapshot not in names:
        hashes.append(now.snapshot)
    st.session_state["train-snapshot"] = now.snapshot or _NONE
    st.selectbox(
        "Reviewed labels", hashes, key="train-snapshot", on_change=_take_data,
        format_func=lambda one: "None: the labels on file" if one == _NONE
        else names.get(one, f"{one[:8]}, not in this workspace"),
        help="A snapshot of the labels that people reviewed on the page Label quality; the "
        "workspace's recordings are learned from with them, beside the data above.",
    )  # fmt: skip


def _with_data(now: Draft, data: tuple[str, ...]) -> Draft:
    new = Draft(now.recipe, now.base, now.options, data, now.snapshot, now.name)
    put(new)
    return new


def _take_data() -> None:
    now = draft()
    put(
        Draft(
            now.recipe, now.base, now.options,
            tuple(st.session_state["train-data-files"]),
            st.session_state["train-snapshot"] or None, now.name,
        )
    )  # fmt: skip


@cache
def _papers() -> dict[str, tuple[str, ...]]:
    """Recipes by paper, our own first."""
    found: dict[str, list[str]] = {}
    for name, one in recipes().items():
        ours = any(told.origin == "own" for told in one.stated)
        found.setdefault(_OURS if ours else one.paper, []).append(name)
    return {paper: tuple(names) for paper, names in sorted(found.items(), key=_ours_first)}


def _ours_first(item: tuple[str, Any]) -> tuple[bool, str]:
    return item[0] != _OURS, item[0]


def _show_recipe() -> None:
    now = draft()
    paper = st.selectbox(
        "Paper", (_EVERY_PAPER, *_papers()), key="train-paper",
        help="Narrows the recipes below.",
    )  # fmt: skip
    names = tuple(recipes()) if paper == _EVERY_PAPER else _papers()[paper]
    if now.recipe is not None and now.recipe not in names:
        names = (now.recipe, *names)
    offered = [*names] if now.recipe is not None else [_NONE, *names]
    st.session_state["train-recipe"] = now.recipe or _NONE
    st.selectbox(
        "Recipe", offered, key="train-recipe", on_change=_take_recipe, format_func=_recipe_name,
        help="Type to search. NAME is for small data, NAME_paper has the paper's own numbers. "
        "Choosing another one gives up what was changed.",
    )  # fmt: skip
    undone = recipe(now.recipe).not_done if now.recipe is not None else {}
    if undone:
        with st.expander(f"Not as in the paper: {len(undone)}"):
            for said in undone.values():
                st.caption(f"{plain(said)}.")


def _recipe_name(name: str) -> str:
    return f"{name} · {recipe(name).title}" if name else "Options of an earlier run"


def _take_recipe() -> None:
    chosen = st.session_state["train-recipe"]
    if chosen:
        put(draft_of_recipe(chosen, draft()), anew=True)
        put_search(None)
        st.session_state["train-name"] = chosen


def _show_network() -> None:
    now = draft()
    names = [name for name in network_names() if name != "ensemble"]
    st.session_state["train-network"] = now.value("network")
    st.selectbox(
        "Network", names, key="train-network", on_change=_take_network,
        help=f"{OPTION_WORDS['network']} Several members make an ensemble, see Members.",
    )  # fmt: skip
    entry = network_entry(now.value("network"))
    its = f"{len(entry.spec.leads)} leads of {entry.spec.seconds:g} s at"
    st.caption(f"{plain(entry.paper)}: {its} {entry.spec.sampling_rate:g} Hz.")


def _take_network() -> None:
    put(draft().with_value("network", st.session_state["train-network"]))


def _labels_and_folds(facts: DataFacts | None) -> None:
    now = draft()
    have = [name for name in _SETS if facts is None or name in facts.codes]
    chosen = now.value("label_set").split("+")
    key = _shown("label_set", chosen)
    st.multiselect(
        "Labels", [*have, *(name for name in chosen if name not in have)], key=key,
        on_change=_take_labels, format_func=lambda name: f"{name} ({len(labels_of(name))})",
        help=OPTION_WORDS["label_set"],
    )  # fmt: skip
    folds = sorted({*(facts.folds if facts else range(1, 11)), *now.value("train_folds"),
                    *now.value("validation_folds")})  # fmt: skip
    with st.container(horizontal=True, key="train-folds"):
        for option, name in (("train_folds", "Learn from folds"),
                             ("validation_folds", "Validate on folds")):  # fmt: skip
            key = _shown(option, list(now.value(option)))
            st.pills(
                name, folds, selection_mode="multi", key=key, on_change=_take_folds,
                args=(option,), help=OPTION_WORDS[option],
            )  # fmt: skip
    _changed_line("label_set", "train_folds", "validation_folds")


def _shown(option: str, value: Any) -> str:
    """The key of a field of the left, which always shows the draft."""
    key = f"{key_of(option)}-chosen"
    st.session_state[key] = value
    return key


def _take_labels() -> None:
    chosen = st.session_state[f"{key_of('label_set')}-chosen"]
    if chosen:
        ordered = [name for name in ("statements", *_SETS) if name in chosen]
        put(draft().with_value("label_set", "+".join(dict.fromkeys(ordered))))


def _take_folds(option: str) -> None:
    """A fold is learned from or validated on, never both."""
    chosen = sorted(st.session_state[f"{key_of(option)}-chosen"])
    other = "validation_folds" if option == "train_folds" else "train_folds"
    now = draft().with_value(option, chosen)
    put(now.with_value(other, [fold for fold in now.value(other) if fold not in chosen]))


@cache
def lead_sets() -> dict[str, tuple[str, ...] | None]:
    """Sets of leads by name: the network's own, those of the Inception paper's recipes, and each
    lead alone."""
    sets: dict[str, tuple[str, ...] | None] = {"The network's own": None}
    for count in (6, 4, 3, 2):
        of = recipe(f"inception_{count}_leads").options.leads or LEADS
        sets[f"{count}: {', '.join(of)}"] = of
    return sets | {f"1: {lead}": (lead,) for lead in LEADS}


def _leads() -> None:
    now = draft()
    value = None if now.value("leads") is None else tuple(now.value("leads"))
    sets = dict(lead_sets())
    name = next((name for name, of in sets.items() if of == value), None)
    if name is None:
        name = f"{len(value or ())}: {', '.join(value or ())}"
    key = _shown("leads", name)
    names = [*sets, *([name] if name not in sets else [])]
    st.selectbox(
        "Leads", names, key=key, on_change=_take_leads, help=OPTION_WORDS["leads"], width=300
    )
    with st.popover("Other leads"):
        st.pills(
            "Leads of your own choice", LEADS, selection_mode="multi",
            key=_shown_own(list(value or network_entry(now.value("network")).spec.leads)),
            on_change=_take_own_leads,
        )  # fmt: skip
    _changed_line("leads")


def _shown_own(value: list[str]) -> str:
    st.session_state["train-own-leads"] = value
    return "train-own-leads"


def _take_leads() -> None:
    chosen = lead_sets().get(st.session_state[f"{key_of('leads')}-chosen"], LEADS)
    put(draft().with_value("leads", None if chosen is None else list(chosen)))


def _take_own_leads() -> None:
    chosen = [lead for lead in LEADS if lead in st.session_state["train-own-leads"]]
    if chosen:
        put(draft().with_value("leads", chosen))


def _rate() -> None:
    now = draft()
    own = network_entry(now.value("network")).spec.sampling_rate
    rate = now.value("sampling_rate")
    key = _shown("sampling_rate", None if rate is None else float(rate))
    st.number_input(
        "Rate, Hz", min_value=1.0, max_value=999.0, step=25.0, format="%g", key=key, width=150,
        on_change=_take_rate, placeholder=f"{own:g}", help=OPTION_WORDS["sampling_rate"],
    )  # fmt: skip
    _changed_line("sampling_rate")


def _take_rate() -> None:
    put(draft().with_value("sampling_rate", st.session_state[f"{key_of('sampling_rate')}-chosen"]))


def _folder_choice(option: str) -> None:
    """A trained model's folder, or none; another one can be typed."""
    now = draft()
    known = _models() | (_starts() if option == "start" else {})
    value = now.value(option)
    key = _shown(option, value or _NONE)
    needs = option == "teacher" and OBJECTIVES[now.value("objective")].taught
    st.selectbox(
        "Teacher" if option == "teacher" else "Starting weights",
        [_NONE, *known, *([value] if value not in (None, *known) else [])], key=key,
        on_change=_take_folder, args=(option,), accept_new_options=True, width=290,
        format_func=lambda one: known.get(one, one) if one
        else "Choose one" if needs else "None",
        help=f"{OPTION_WORDS[option]} Type the full path of another folder.",
    )  # fmt: skip
    _changed_line(option)


def _take_folder(option: str) -> None:
    put(draft().with_value(option, st.session_state[f"{key_of(option)}-chosen"] or None))


def _models() -> dict[str, str]:
    """Trained models by folder: those that can be chosen, and those of the workspace's runs."""
    found = {str(folder): name for name, folder in model_folders().items()}
    runs = services.workspace().root / "runs"
    for card in sorted(runs.glob(f"*/model/{CARD}"), reverse=True):
        found.setdefault(str(card.parent), f"run {card.parent.parent.name}")
    return found


def _starts() -> dict[str, str]:
    runs = services.workspace().root / "runs"
    return {
        str(path.parent): f"pre-training {path.parent.parent.name}"
        for path in sorted(runs.glob(f"*/start/{START}"), reverse=True)
    }


def _changed_line(*options: str) -> None:
    """What was changed of the recipe among these, and a way back."""
    now = draft()
    for option in options:
        if option in now.changed():
            was = Path(str(now.base_value(option))).name if option in ("teacher", "start") else (
                shown(now.base_value(option)))  # fmt: skip
            st.button(
                f"Changed from {was}: put back", key=f"train-back-{option}", type="tertiary",
                on_click=put_back, args=(option,),
            )  # fmt: skip


__all__ = ["DRAFT", "lead_sets", "show_choices", "show_seen"]
