"""Which explaining method marks what each shipped model used: the deletion test on real recordings.

    python benchmarks/faithfulness.py FOLDER [--records 15] [--labels 2]

FOLDER holds readable recordings. Of each, the labels with the highest probability over threshold
are explained by every fast method (LIME only with --lime), the hottest tenth of the map is
flattened, and so are 20 random tenths. Prints the share of maps that pass and of random tenths that
are beaten (chance: one half).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.explain.faithfulness import DeletionTest, deletion_test
from ecgcore.explain.lime import METHOD as LIME
from ecgcore.explain.methods import METHODS
from ecgcore.models.card import trained_models
from ecgcore.models.prediction import LabelPrediction
from ecgcore.models.predictor import load_predictor
from ecgcore.readers.opening import find_recordings, read_path


def _confidence(answer: LabelPrediction) -> float:
    return (answer.probability or 0.0) / answer.threshold if answer.threshold else 0.0


def main() -> None:
    """Measure and print a row a model and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=15)
    parser.add_argument("--labels", type=int, default=2)
    parser.add_argument("--lime", action="store_true")
    given = parser.parse_args()
    found = find_recordings(given.folder)
    recordings = [read_path(path) for path in found[:: max(1, len(found) // given.records)]]
    for name in trained_models():
        predictor = load_predictor(name)
        for method, explain in METHODS.items():
            if method == LIME and not given.lime:
                continue
            tests: list[DeletionTest] = []
            for recording in recordings:
                answers = sorted(predictor.predict(recording).labels, key=_confidence)
                for answer in answers[-given.labels :]:
                    made = explain(predictor, recording, answer.code, answer.set)
                    tests.append(deletion_test(predictor, recording, made, answer.set))
            passed = mean(test.passed for test in tests)
            beaten = mean(test.beaten / test.choices for test in tests)
            print(
                f"{name:14} {method:10} {len(tests):4} maps  pass {passed:4.0%}  beat {beaten:4.0%}"
            )


if __name__ == "__main__":
    main()
