"""Turns the JSON of tessera tune into one self-contained HTML page: tune_report.py RESULTS.json REPORT.html"""

import html
import io
import json
import math
import random
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402 (the backend is chosen first)

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#7f7f7f"
CLASSES = [BLUE, ORANGE, GREEN, "#cc79a7", "#d55e00", "#56b4e9", "#8c564b", "#17becf"]
CONTESTANTS = ["rule of thumb", "model, first call", "model", "model taught by others", "before tuning", "tuned"]
MOST_CURVES = 12  # plots of single shapes: those of the greatest weight
ORDERS = 20

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Tessera tuning</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid #ccc }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }}
th, td {{ padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #eee }}
th:first-child, td:first-child {{ text-align: left }}
svg {{ max-width: 100%; height: auto }} .note {{ color: #555 }} .scroll {{ overflow-x: auto }}
</style></head><body>
<h1>Tessera: plans tuned on this machine</h1>
{body}
</body></html>
"""


def svg(figure):
    """A figure as text to stand inside a page; letters stay letters."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(out, format="svg", bbox_inches="tight")
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg"):]


def plain(axes):
    axes.grid(color="#ddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def table(head, rows):
    out = ["<div class='scroll'><table><tr>"] + ["<th>%s</th>" % html.escape(cell) for cell in head] + ["</tr>"]
    for row in rows:
        out.append("<tr>" + "".join("<td>%s</td>" % html.escape(cell) for cell in row) + "</tr>")
    return "".join(out) + "</table></div>"


def words(text):
    return dict(item.split("=", 1) for item in text.split())


def label(shape):
    """A shape in few letters: 'f32 512x512x512 nt, 2 threads'."""
    w = words(shape)
    size = "x".join(w.get(name, "?") for name in "mnk")
    threads = ", %s thread%s" % (w["threads"], "" if w["threads"] == "1" else "s") if "threads" in w else ""
    return "%s %s %s%s%s" % (w.get("type", ""), size, w.get("a", ""), w.get("b", ""), threads)


def speed(shape, seconds):
    return shape["flops"] / seconds * 1e-9


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def gain(shape):
    if not shape["improved"]:
        return "no change"
    text = "%+.1f %%" % (100 / shape["ratio"] - 100)
    low, high = shape["ratio_low"], shape["ratio_high"]
    if low and high and low < high:
        text += " (%.1f .. %.1f)" % (100 / high - 100, 100 / low - 100)
    return text


def results(tuned):
    rows = [[label(s["shape"]), "%.1f" % speed(s, s["before_seconds"]), "%.1f" % speed(s, s["after_seconds"]), gain(s),
             "%d of %d" % (s["measured"], s["candidates"]), s["after"]] for s in tuned]
    mean = geometric_mean([s["before_seconds"] / s["after_seconds"] for s in tuned])
    note = "<p>%d shapes, of which %d became faster; geometric mean of all: %+.1f %%.</p>" % (
        len(tuned), sum(s["improved"] for s in tuned), 100 * mean - 100)
    return note + table(["shape", "before, GFLOP/s", "after", "gain (95 % interval)", "plans measured", "plan"], rows)


def bars(tuned):
    """GFLOP/s before and after."""
    figure, axes = plt.subplots(figsize=(10, 0.9 + 0.32 * len(tuned)))
    rows = range(len(tuned))
    axes.barh([row - 0.2 for row in rows], [speed(s, s["before_seconds"]) for s in tuned], 0.38, color=GREY,
              label="before")
    axes.barh([row + 0.2 for row in rows], [speed(s, s["after_seconds"]) for s in tuned], 0.38, color=BLUE,
              label="after")
    axes.set_yticks(rows, [label(s["shape"]) for s in tuned])
    axes.set_ylim(len(tuned) - 0.5, -0.5)
    axes.set_xlabel("GFLOP/s")
    plain(axes)
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9)
    return svg(figure)


def best_so_far(seconds):
    least, out = math.inf, []
    for value in seconds:
        least = min(least, value)
        out.append(least)
    return out


def random_search(every):
    """The mean over some orders of the best so far; the order of the exhaustive times says nothing."""
    chance = random.Random(1)
    curves = []
    for _ in range(ORDERS):
        order = every[:]
        chance.shuffle(order)
        curves.append(best_so_far(order))
    return [sum(column) / ORDERS for column in zip(*curves)]


def draw_progress(axes, shape):
    """Best so far against the number of plans measured; by the times of the exhaustive run where there is one."""
    known = {plan["plan"]: plan["seconds"] for plan in shape.get("all", []) if plan["seconds"]}
    every = list(known.values())
    guided = best_so_far([known.get(plan["plan"], plan["seconds"]) for plan in shape["plans"]])
    axes.step(range(1, len(guided) + 1), [1e6 * x for x in guided], where="post", color=BLUE, marker="o", markersize=3,
              label="guided by the model")
    if every:
        chance = random_search(every)
        axes.plot(range(1, len(chance) + 1), [1e6 * x for x in chance], color=ORANGE, label="at random, mean")
        axes.axhline(1e6 * min(every), color="#222", linewidth=1, linestyle="--", label="best of all %d" % len(every))
        axes.set_xscale("log", base=2)
    axes.set_title(label(shape["shape"]), fontsize=8)
    axes.tick_params(labelsize=7)
    plain(axes)


def progress(tuned):
    shown = [s for s in tuned if s["plans"]][:MOST_CURVES]
    lines = (len(shown) + 2) // 3
    figure, grid = plt.subplots(lines, 3, figsize=(11, 2.6 * lines), squeeze=False, layout="constrained")
    cells = [axes for line in grid for axes in line]
    for axes, shape in zip(cells, shown):
        draw_progress(axes, shape)
    for axes in cells[len(shown):]:
        axes.set_visible(False)
    cells[0].legend(frameon=False, fontsize=7)
    figure.supxlabel("plans measured", fontsize=9)
    figure.supylabel("best so far, us", fontsize=9)
    return svg(figure)


def class_of(plan):
    """What the model may get wrong alike: the path, and what is packed; on a device, how deep panels are fetched."""
    w = words(plan)
    return " ".join([w["path"], w.get("pack", "")]).strip() if "path" in w else "%s slots" % w.get("slots", "?")


def accuracy(tuned):
    """Predicted against measured, both logarithmic, by class."""
    points = {}
    for shape in tuned:
        for plan in shape.get("all") or shape["plans"]:
            if plan["seconds"] and plan["predicted"]:
                points.setdefault(class_of(plan["plan"]), []).append((plan["seconds"], plan["predicted"]))
    if not points:
        return ""
    figure, axes = plt.subplots(figsize=(7.5, 6))
    for i, (name, values) in enumerate(sorted(points.items())):
        axes.scatter([1e6 * x for x, _ in values], [1e6 * y for _, y in values], s=9, alpha=0.6, linewidths=0,
                     color=CLASSES[i % len(CLASSES)], label="%s (%d)" % (name, len(values)))
    ends = [1e6 * f(x for values in points.values() for x, _ in values) for f in (min, max)]
    axes.plot(ends, ends, color="#222", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("measured, us")
    axes.set_ylabel("predicted, us")
    plain(axes)
    axes.legend(frameon=False, fontsize=8)
    errors = [abs(math.log(y / x)) for values in points.values() for x, y in values]
    note = "<p class='note'>%d plans; half of the predictions are within %.1f %% of what was measured.</p>"
    return svg(figure) + note % (len(errors), 100 * math.exp(sorted(errors)[len(errors) // 2]) - 100)


def comparison(tuned):
    """An exhaustive run: how far each way to choose a plan stays behind the best of all."""
    compared = [s for s in tuned if "comparison" in s]
    if not compared:
        return ""
    names = CONTESTANTS + [name for name in ("guided", "random") if all(name in s["comparison"] for s in compared)]
    rows = []
    for name in names:
        ratios = [s["comparison"][name] / s["comparison"]["best"] for s in compared if s["comparison"][name]]
        if ratios:
            rows.append([name, "%.2f %%" % (100 * geometric_mean(ratios) - 100), "%.1f %%" % (100 * max(ratios) - 100)])
    figure, axes = plt.subplots(figsize=(10, 4))
    for i, name in enumerate(names):
        ratios = sorted(100 * s["comparison"][name] / s["comparison"]["best"] - 100 for s in compared
                        if s["comparison"][name])
        axes.plot(range(1, len(ratios) + 1), ratios, color=CLASSES[i % len(CLASSES)], label=name)
    axes.set_xlabel("shapes, each curve in its own order")
    axes.set_ylabel("% longer than the best plan")
    plain(axes)
    axes.legend(frameon=False, fontsize=8)
    return ("<h2>Against the best plan of all</h2>" + table(["chosen by", "longer, geometric mean", "worst"], rows)
            + svg(figure))


def head(data):
    lines = ["machine " + data["machine"], "kernels " + data["kernels"], "costs: " + data["costs"], data["date"],
             "recorded in the database" if data["recorded"] else "nothing was recorded"]
    return "<p class='note'>%s</p>" % "<br>".join(html.escape(line) for line in lines)


def left_out(shapes):
    rows = [[s["shape"], s["not_tuned"]] for s in shapes if s["not_tuned"]]
    return "<h2>Not tuned</h2>" + table(["shape", "why"], rows) if rows else ""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    tuned = [s for s in data["shapes"] if not s["not_tuned"] and s.get("before_seconds") and s["after_seconds"]]
    body = [head(data)]
    if tuned:
        body += ["<h2>Before and after</h2>", results(tuned), bars(tuned), comparison(tuned),
                 "<h2>The search</h2>", progress(tuned), "<h2>Predicted against measured</h2>", accuracy(tuned)]
    body.append(left_out(data["shapes"]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(PAGE.format(body="".join(body)))


if __name__ == "__main__":
    main()
