"""Ways to merge products whose errors follow leaves, season and soil, at stations that were left out.

    python tools/benchmarks/merging_learned.py [--seeds 3] [--places 40] [--stations 20]
    python tools/benchmarks/merging_learned.py --speed

A region of ``tests/helpers/synthetic_products.py`` with three years of three products. All numbers are against the
truth at stations in the last fifth of the period; networks have seen neither those days nor any value of the station.
"On days with a product" compares all methods on the same days; "without" are the others. Needs the extra lstm.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))

from synthetic_products import make_products, skill  # noqa: E402

from pyland.observe.climatology import LinearMatch  # noqa: E402
from pyland.observe.merging import LstmMerge, LstmSettings, merge_products, time_blocks  # noqa: E402
from pyland.observe.merging.lstm_splits import TEST, split_values  # noqa: E402

FOLDS = 5


def rescaled(products: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Products with the mean and standard deviation of the first at each place."""
    place, when = np.broadcast_arrays(np.arange(products.shape[2]), times[:, None])
    out = [products[0]]
    for one in products[1:]:
        match = LinearMatch.fit("mean_std", one, products[0], times)
        out.append(match.apply(one.ravel(), place.ravel(), when.ravel())[0].reshape(place.shape))
    return np.stack(out)


def compare(seed: int, places: int, stations: int, settings: LstmSettings) -> dict[str, tuple[float, ...]]:
    """Skill of each method in one region: bias, ubRMSE, R, normalised error; then bias, ubRMSE, R of days without."""
    data = make_products(places, 3, seed, stations)
    context, truth = data.context, data.truth
    blocks = time_blocks(context.times)
    common = rescaled(data.products, context.times)
    merged = {"mean": merge_products("mean", data.products, None, context),
              "mean, rescaled": merge_products("mean", common, None, context),
              "tc": merge_products("tc", data.products, None, context),
              "bme": merge_products("bme", common, None, context, {"errors": "collocation"})}
    found = {name: (one.value, one.sigma) for name, one in merged.items()}
    for target, products in (("in_situ", data.products), ("withheld_product", common)):
        held = LstmMerge(target, settings).cross_validate(products, context, blocks, FOLDS,
                                                          0.01 if target == "in_situ" else 0.0)
        found[f"lstm, {target}"] = held.value, held.sigma_ratio * held.sigma
        for one in held.records:
            print(f"#   {target} seed {seed}: {one.epochs} epochs, best {one.best_epoch}, {one.seconds:.0f} s, "
                  f"sigma ratio {held.sigma_ratio:.2f}", flush=True)
    station = np.arange(places) < stations
    some = np.isfinite(data.products).any(axis=0) & np.isfinite(found["tc"][0])
    judged = (blocks == TEST)[:, None] & station
    rows = {}
    for name, (value, sigma) in found.items():
        part = judged & some
        spread = float(np.sqrt(np.mean(((value - truth)[part] / sigma[part]) ** 2)))
        empty = judged & ~np.isfinite(data.products).any(axis=0)
        rest = skill(value, truth, empty) if np.isfinite(value[empty]).all() else (np.nan,) * 3
        rows[name] = (*skill(value, truth, part), spread, *rest)
    return rows


def speed() -> None:
    """Wall time of an epoch over 1000 places and 365 days, by threads and batch."""
    data = make_products(100, 1, 0, 100)
    wide = {name: np.concatenate([one] * 10, axis=-1) for name, one in data.context.predictors.items()}
    context = type(data.context)(data.context.names, data.context.times, np.tile(data.context.latitude, 10),
                                 np.tile(data.context.longitude, 10), wide, np.tile(data.context.target, 10))
    products = np.tile(data.products, 10)
    known = np.isfinite(context.target)
    blocks = np.zeros(365, np.int8)
    blocks[-1] = 1
    for threads, batch in ((1, 16), (1, 64), (2, 64)):
        merge = LstmMerge("in_situ", LstmSettings(epochs=3, patience=3, threads=threads, batch=batch))
        record = merge.fit(products, context, split_values(known, blocks))
        begin = time.perf_counter()
        merge.merge(products, context)
        print(f"{threads} threads, batch {batch}: {record.parameters} parameters, {record.place_years:.0f} "
              f"place-years, {record.seconds_per_epoch:.2f} s per epoch, merged in "
              f"{time.perf_counter() - begin:.2f} s", flush=True)


def main() -> None:
    """Print the table, means and standard deviations over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("seeds", 3), ("places", 40), ("stations", 20), ("epochs", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--speed", action="store_true")
    chosen = parser.parse_args()
    if chosen.speed:
        speed()
        return
    settings = LstmSettings(batch=8, epochs=chosen.epochs)
    results = []
    for seed in range(chosen.seeds):
        results.append(compare(seed, chosen.places, chosen.stations, settings))
        print(f"# seed {seed}: {results[-1]}", flush=True)
    print("| method | bias | ubRMSE | R | error/sigma | without a product: bias | ubRMSE | R |")
    print("|---|" + "---|" * 7)
    for name in results[0]:
        numbers = np.array([one[name] for one in results])
        text = " | ".join("-" if np.isnan(mean) else f"{mean:.4f} ± {std:.4f}"
                          for mean, std in zip(numbers.mean(axis=0), numbers.std(axis=0), strict=True))
        print(f"| {name} | {text} |")


if __name__ == "__main__":
    main()
