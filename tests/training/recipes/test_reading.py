"""What stands in a recipe's file is read as written, inherited as said, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgcore.training.recipes import Recipe, RecipeError, read_recipes

DATA = """
[few]
train_folds = { value = [1], why = "few" }
batch = { value = 8, why = "few" }
"""

PAPER = """
paper = "Somebody 2020"
data = "few"

[root]
title = "Root"
[root.paper]
network = { value = "hrnn", why = "2" }
label_set = { value = "superclasses", why = "2" }
train_folds = { value = [1, 2], why = "2" }
objective = { value = "hrnn", why = "2" }
"objective_options.lambda" = { value = 0.5, why = "2" }
"network_options.kernel" = { value = 5, why = "2" }
[root.settled]
batch = { value = 64, why = "said nowhere" }
[root.scaled]
epochs = { value = 3, why = "few" }
"augmentation.noise" = { value = 0.1, why = "few" }
[root.not_done]
one = "cannot"
two = "will not"
[root.defaults]
kernel = { value = 5, why = "2" }

[child]
base = "root"
title = "Child"
not_done.one = ""
paper.learning_rate = { value = 0.5, why = "3" }

[other]
base = "child"
title = "Another network"
paper.network = { value = "inception", why = "4" }
paper.objective = { value = "bce", why = "4" }
paper.epochs = { value = 70, why = "4" }
"""

OWN = """
[ours]
base = "child"
title = "Ours"
own.batch = { value = 9, why = "odd" }
"""


def read(folder: Path, **files: str) -> dict[str, Recipe]:
    """Recipes of files with these contents."""
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content)
    return read_recipes(folder)


def test_a_recipe_of_a_paper_has_two_names_and_one_of_ours_has_one(tmp_path: Path) -> None:
    found = read(tmp_path, data=DATA, paper=PAPER, own=OWN)
    assert list(found) == [
        "child", "child_paper", "other", "other_paper", "ours", "root", "root_paper",
    ]  # fmt: skip
    bases = {name: one.base for name, one in found.items()}
    assert bases == {
        "child": "child_paper", "child_paper": "root_paper", "other": "other_paper",
        "other_paper": "child_paper", "ours": "child", "root": "root_paper", "root_paper": None,
    }  # fmt: skip


def test_what_is_inherited_and_what_is_changed(tmp_path: Path) -> None:
    found = read(tmp_path, data=DATA, paper=PAPER, own=OWN)
    root, child, ours = (found[name].options for name in ("root", "child", "ours"))
    paper = found["root_paper"].options
    assert (paper.batch, paper.train_folds, paper.epochs) == (64, (1, 2), 30)
    assert (root.batch, root.train_folds, root.epochs) == (8, (1,), 3)
    assert paper.objective_options == {"lambda": 0.5} and paper.network_options == {"kernel": 5}
    assert (paper.augmentation.noise, root.augmentation.noise) == (0, 0.1)
    assert (child.learning_rate, child.epochs, child.objective) == (0.5, 3, "hrnn")
    assert (ours.learning_rate, ours.epochs, ours.batch) == (0.5, 3, 9)
    assert found["ours"].paper == "Somebody 2020"
    assert found["root"].not_done == {"one": "cannot", "two": "will not"}
    assert found["child"].not_done == {"two": "will not"}


def test_another_network_or_objective_leaves_the_old_ones_options_behind(tmp_path: Path) -> None:
    other = read(tmp_path, data=DATA, paper=PAPER)["other"]
    assert other.options.network_options == other.options.objective_options == {}
    assert not other.defaults
    assert other.options.epochs == 70  # said by the recipe itself: not undone by its base
    assert (other.options.batch, other.options.augmentation.noise) == (8, 0.1)


def test_a_new_objectives_options_may_stand_before_it(tmp_path: Path) -> None:
    changed = """
[x]
base = "root"
title = "x"
paper."objective_options.lambda" = { value = 0.5, why = "the old one's number, for the new one" }
paper."objective_options.gamma" = { value = 3, why = "5" }
settled.objective = { value = "focal", why = "5" }
"""
    with pytest.raises(RecipeError, match="objective focal has no option lambda"):
        read(tmp_path, data=DATA, paper=PAPER + changed)
    changed = changed.replace("objective_options.lambda", "objective_options.alpha")
    found = read(tmp_path, data=DATA, paper=PAPER + changed)
    assert found["x"].options.objective_options == {"alpha": 0.5, "gamma": 3}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ('[x]\nbase = "y"\ntitle = "x"', "'x' is based on 'y'; known: child, other, root, x"),
        ('[x]\nbase = "y"\ntitle = "x"\n[y]\nbase = "x"\ntitle = "y"',
         "recipes based on each other: . <- . <- .; take one base away"),
        ('[x]\nbase = "x"\ntitle = "x"', "based on each other: x <- x;"),
        ('[x]\nbase = "root"\ntitle = "x"\nsettle = 1', "recipe 'x' has no settle; known: title"),
        ('[x]\nbase = "root"', "recipe 'x' has no title; give it one"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.depth = { value = 1, why = "2" }',
         "recipe 'x' has no option 'depth'; known: network, label_set, network_options.NAME"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.augmentation = { value = 1, why = "2" }',
         "recipe 'x' has no option 'augmentation'"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.epochs = 3',
         "recipe 'x': epochs is 3; write { value = ..., why = "),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.epochs = { value = 3, why = " " }',
         "recipe 'x': epochs is .*; write"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.batch = { value = 64, why = "2" }',
         "recipe 'x' changes batch to 64, which it is already; leave it out"),
        ('[x]\nbase = "root"\ntitle = "x"\nscaled.patience = { value = 0, why = "2" }',
         "recipe 'x' changes patience to 0, which it is already"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.epochs = { value = 2, why = "2" }\n'
         'settled.epochs = { value = 3, why = "2" }', "states epochs as paper and as settled"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper.epochs = { value = -2, why = "2" }',
         "recipe 'x(_paper)?': epochs -2; must be above 0"),
        ('[x]\nbase = "root"\ntitle = "x"\npaper."objective_options.mu" = { value = 1, why = "2" }',
         "recipe 'x(_paper)?': objective hrnn has no option mu; known: lambda"),
        ('[x]\nbase = "root"\ntitle = "x"\nown.epochs = { value = 2, why = "2" }',
         "recipe 'x' is of a paper and has no table 'own'"),
        ('[x]\ntitle = "x"\nnot_done.a = 3', "recipe 'x': not_done.a is 3; write a sentence"),
        ('[x_paper]\ntitle = "x"', "recipe 'x_paper': names that end in _paper are made"),
        ('[x]\nbase = "ours"\ntitle = "x"', "'x' is of a paper, its base 'ours' is not"),
        ('[ours]\ntitle = "x"', "recipe 'ours' stands in two files; rename one"),
        ("[x", "paper.toml is no TOML: "),
        ('[x]\ntitle = "x"', "recipe 'x(_paper)?' has no network and no label_set; state it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(changed: str, sentence: str, tmp_path: Path) -> None:
    own = OWN if "ours" in changed else ""
    with pytest.raises(RecipeError, match=sentence.replace("{", r"\{")):
        read(tmp_path, data=DATA, paper=f"{PAPER}\n{changed}\n", own=own)


def test_a_files_own_keys_are_checked(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"paper.toml: unknown data 'many'; known: few"):
        read(tmp_path, data=DATA, paper=PAPER.replace('data = "few"', 'data = "many"'))
    with pytest.raises(RecipeError, match=r"paper.toml: unknown key 'papers'; known: data, paper"):
        read(tmp_path, data=DATA, paper='papers = "x"\n' + PAPER)
    with pytest.raises(RecipeError, match="recipe 'ours' is of no paper and has no table 'paper'"):
        read(tmp_path, data=DATA, paper=PAPER, own=OWN.replace("own.", "paper."))
    with pytest.raises(RecipeError, match=r"recipe 'data.toml: few' has no option 'depth'"):
        read(tmp_path, data=DATA.replace("batch", "depth"), paper=PAPER, own=OWN)
