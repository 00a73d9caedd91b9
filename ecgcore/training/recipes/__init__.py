"""Named recipes: training options as data, every number with its source.

One file a paper; ``reading`` says how it is written. Each recipe of a paper has two names:

- ``NAME_paper`` has the paper's numbers, and what had to be settled where it is silent.
- ``NAME`` is that with the changes that small data ask for, each stated with its reason. Where a
  trained model of that name is shipped, these are the very options that it was trained with.

So ``inception`` is the shipped model's recipe and ``inception_paper`` the publication's; an
ablation or a point of a sweep is written once and has both names too. A recipe of our own
(``lightbox.toml``) has one name.

In every run, whatever its recipe: gradients are scaled down to a norm of 5, the last records of an
epoch that fill no batch are left out, and signals are band-passed 0.5-40 Hz and scaled a lead (see
``input_spec``). No paper has these three; they are the loop's, not a recipe's.
"""

from __future__ import annotations

from ecgcore.training.recipes.recipe import Fact, Recipe, RecipeError, Stated, differences, flat
from ecgcore.training.recipes.resolving import FOLDER, read_recipes, recipe, recipes

__all__ = [
    "FOLDER",
    "Fact",
    "Recipe",
    "RecipeError",
    "Stated",
    "differences",
    "flat",
    "read_recipes",
    "recipe",
    "recipes",
]
