"""Turns the JSON of tessera-bench into one self-contained HTML page: report.py RESULTS.json REPORT.html"""

import html
import io
import json
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402 (the backend is chosen first)

COLORS = {
    "tessera": "#0072b2",
    "openblas": "#e69f00",
    "openblas-skx": "#b97d00",
    "openblas-deb": "#f0d08a",
    "blis": "#009e73",
    "mkl": "#cc79a7",
    "pytorch": "#d55e00",
    "ggml": "#009e73",
    "tessera-nchw": "#56b4e9",
    "onednn": "#e69f00",
    "onednn-nhwc": "#b97d00",
    "onednn-nchw": "#f0d08a",
    "torch-nhwc": "#d55e00",
    "torch-nchw": "#f2a98a",
}
KNOWN = len(COLORS)
SPARE = ["#d55e00", "#56b4e9", "#7f7f7f", "#8c564b", "#17becf"]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Tessera benchmark</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid #ccc }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }}
th, td {{ padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #eee }}
th:first-child, td:first-child {{ text-align: left }}
td.best {{ font-weight: 600 }} svg {{ max-width: 100%; height: auto }} .note {{ color: #555 }}
.scroll {{ overflow-x: auto }}
</style></head><body>
<h1>Tessera beside other libraries</h1>
{body}
</body></html>
"""


def color(name):
    if name not in COLORS:
        COLORS[name] = SPARE[(len(COLORS) - KNOWN) % len(SPARE)]
    return COLORS[name]


def svg(figure):
    """A figure as text to stand inside a page; letters stay letters."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(out, format="svg", bbox_inches="tight")
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg"):]


def seconds(case, name, what="median"):
    return case["seconds"].get(name, {}).get(what)


def libraries(data):
    return [library["name"] for library in data["libraries"] if library["usable"]]


def rate(batch, case, name, what="median"):
    """What a section compares: GFLOP/s, GB/s or, for calls, nanoseconds."""
    time = seconds(case, name, what)
    if not time:
        return None
    if batch["section"] in OF_BYTES:
        return case["bytes"] / time * 1e-9
    if batch["section"] in OF_TIME:
        return time * OF_TIME[batch["section"]]
    if batch["section"] == "nets":
        return case["images"] / time
    return case["flops"] / time * 1e-9


OF_BYTES = ("skinny", "decode")
OF_TIME = {"overhead": 1e9, "steps": 1e6, "lengths": 1e6}  # what a second is in the section's unit
UNITS = {"skinny": "GB/s", "decode": "GB/s", "overhead": "ns a call", "steps": "us a call", "lengths": "us a call",
         "nets": "images/s"}


def limit(batch, case):
    """The limit in the section's unit, or None where it says nothing."""
    if batch["section"] in OF_TIME or not case["limit_seconds"]:
        return None
    if batch["section"] == "nets":
        return case["images"] / case["limit_seconds"]
    amount = case["bytes"] if batch["section"] in OF_BYTES else case["flops"]
    return amount / case["limit_seconds"] * 1e-9


def bars(batch, names):
    """A group of bars a shape, whiskers from the lower to the upper quartile, the limit as a line across the group."""
    cases = batch["cases"]
    height = 0.8 / len(names)
    figure, axes = plt.subplots(figsize=(10, 0.9 + len(cases) * (0.11 * len(names) + 0.12)))
    for i, name in enumerate(names):
        where, value, low, high = [], [], [], []
        for row, case in enumerate(cases):
            middle = rate(batch, case, name)
            if middle is None:
                continue
            ends = sorted((rate(batch, case, name, "q1"), rate(batch, case, name, "q3")))
            where.append(row - 0.4 + (i + 0.5) * height)
            value.append(middle)
            low.append(max(0, middle - ends[0]))
            high.append(max(0, ends[1] - middle))
        axes.barh(where, value, height * 0.92, color=color(name), label=name, xerr=[low, high],
                  error_kw={"elinewidth": 0.7, "ecolor": "#333"})
    first = True
    for row, case in enumerate(cases):
        bound = limit(batch, case)
        if bound:
            axes.plot([bound, bound], [row - 0.45, row + 0.45], color="#222", linewidth=1.2,
                      label="limit" if first else None)
            first = False
    axes.set_yticks(range(len(cases)), [case["label"] for case in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel(UNITS.get(batch["section"], "GFLOP/s"))
    axes.grid(axis="x", color="#ddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=len(names) + 1, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9)
    return svg(figure)


def plain_axes(axes, columns):
    axes.grid(color="#ddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=8)


def line(axes, points, name, **style):
    """One library's curve; nothing where there are no points."""
    if points:
        axes.plot(*zip(*sorted(points)), marker="o", markersize=3, color=color(name),
                  linewidth=2.2 if name == "tessera" else 1.3, **style)


def times_of(cases, name, x, scale):
    return [(case[x], seconds(case, name) * scale) for case in cases if seconds(case, name)]


def steps(batch, names):
    """Time over the number of queries, a picture for each kind of call."""
    kinds = {}
    for case in batch["cases"]:
        kinds.setdefault((case["heads_q"], case["heads_kv"], case["len_kv"], case["d_qk"], case["kv"]), []).append(case)
    out = []
    for (heads, heads_kv, len_kv, d, kv), cases in kinds.items():
        if len(cases) < 4:
            continue
        figure, axes = plt.subplots(figsize=(10, 3.6))
        for name in names:
            line(axes, times_of(cases, name, "len_q", 1e6), name, label=name)
        axes.set_xlabel("queries (%d heads on %d, %d keys of %d, %s)" % (heads, heads_kv, len_kv, d, kv))
        axes.set_ylabel("us")
        axes.set_ylim(bottom=0)
        plain_axes(axes, len(names))
        out.append(svg(figure))
    return "".join(out)


def lengths(batch, names):
    """Cost against length, for prompts and for one query."""
    figure, pictures = plt.subplots(1, 2, figsize=(10, 3.8))
    kinds = (("prompt of so many tokens, causal", lambda case: case["len_q"] == case["len_kv"]),
             ("one query, keys in the cache", lambda case: case["len_q"] == 1))
    for axes, (title, wanted) in zip(pictures, kinds):
        cases = [case for case in batch["cases"] if wanted(case)]
        for name in names:
            line(axes, times_of(cases, name, "len_kv", 1e6), name, label=name)
        limits = sorted((case["len_kv"], case["limit_seconds"] * 1e6) for case in cases if case["limit_seconds"])
        if limits:
            axes.plot(*zip(*limits), color="#222", linewidth=1, linestyle="--", label="limit")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel(title)
        axes.set_ylabel("us")
        plain_axes(axes, len(names) + 1)
    figure.tight_layout()
    return svg(figure)


def prefill(batch, names):
    """% of the FMA peak over the length, a picture for each size of a head; causal dashed."""
    sizes = sorted({case["d_qk"] for case in batch["cases"]})
    if len({case["len_q"] for case in batch["cases"]}) < 3:
        return ""
    figure, pictures = plt.subplots(1, len(sizes), figsize=(10, 3.6), sharey=True, squeeze=False)
    for axes, d in zip(pictures[0], sizes):
        for name in names:
            for kv in ("f32", "f16"):
                for causal in (0, 1):
                    points = [(case["len_q"], 100 * case["flops"] / seconds(case, name) / batch["peak_f32"])
                              for case in batch["cases"] if seconds(case, name) and
                              (case["d_qk"], case["kv"], case["causal"]) == (d, kv, causal)]
                    label = None if causal or kv == "f16" else name
                    line(axes, points, name, label=label, linestyle="--" if causal else "-",
                         alpha=1 if kv == "f32" else 0.5)
        axes.set_xscale("log", base=2)
        axes.set_ylim(0, 100)
        axes.set_xlabel("tokens, heads of %d" % d)
        plain_axes(axes, len(names))
    pictures[0][0].set_ylabel("% of FMA peak")
    return svg(figure) + "<p class='note'>Dashed: causal, by useful operations. Pale: f16 keys and values.</p>"


CURVES = {"steps": steps, "lengths": lengths, "prefill": prefill}


def is_square(case):
    return case["m"] == case["n"] == case["k"] and not case["trans_a"] and not case["trans_b"]


def squares(batch, names):
    """GFLOP/s over the size of square matrices; None when there are too few."""
    cases = sorted((case for case in batch["cases"] if is_square(case)), key=lambda case: case["m"])
    if len(cases) < 4:
        return None
    figure, axes = plt.subplots(figsize=(10, 4))
    for name in names:
        points = [(case["m"], rate(batch, case, name)) for case in cases if rate(batch, case, name)]
        if points:
            axes.plot(*zip(*points), marker="o", markersize=3.5, color=color(name), label=name,
                      linewidth=2.2 if name == "tessera" else 1.3)
    axes.axhline(batch["peak_" + batch["type"]] * 1e-9, color="#222", linewidth=1, linestyle="--", label="FMA peak")
    axes.set_xscale("log", base=2)
    ticks = []
    for case in cases:
        if not ticks or case["m"] > 1.15 * ticks[-1]:
            ticks.append(case["m"])
    axes.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=8)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("m = n = k")
    axes.set_ylabel("GFLOP/s")
    axes.grid(color="#ddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=len(names) + 1, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9)
    return svg(figure)


def table(head, rows):
    out = ["<div class='scroll'><table><tr>"] + ["<th>%s</th>" % html.escape(str(cell)) for cell in head] + ["</tr>"]
    for row in rows:
        cells = [cell if cell.startswith("<td") else "<td>%s</td>" % html.escape(cell) for cell in row]
        out.append("<tr>" + "".join(cells) + "</tr>")
    return "".join(out) + "</table></div>"


def figures(batch, names):
    """All figures of a batch as a table; the best of a row is bold, those without quiet samples carry a star."""
    rows = []
    for case in batch["cases"]:
        values = {name: rate(batch, case, name) for name in names}
        known = [value for value in values.values() if value]
        best = (min(known) if batch["section"] in OF_TIME else max(known)) if known else None
        row = [case["label"]]
        for name in names:
            result = case["seconds"].get(name, {})
            if values[name] is None:
                row.append(result.get("fault", "-"))
                continue
            text = "%.1f%s" % (values[name], "" if result["quiet"] else "*")
            row.append("<td class='best'>%s</td>" % text if values[name] == best else text)
        bound = limit(batch, case)
        own = values.get("tessera")
        row.append("%.0f %%" % (100 * own / bound) if bound and own else "-")
        kept = [r["kept"] for r in case["seconds"].values() if "kept" in r]
        row.append("%d" % min(kept) if kept else "-")
        rows.append(row)
    return table([UNITS.get(batch["section"], "GFLOP/s")] + names + ["of limit", "samples"], rows)


def own_of(name, names):
    """Tessera's column that another library's is set against: of the same layout, where there is one."""
    first = "tessera-nchw" in names and (name.endswith("-nchw") or "tessera" not in names)
    return "tessera-nchw" if first else "tessera"


def means(batch, names):
    """Geometric means of Tessera's speed over each library's."""
    rows = []
    for name in names:
        own = own_of(name, names)
        ratios = [(seconds(case, name) / seconds(case, own), case["label"]) for case in batch["cases"]
                  if seconds(case, name) and seconds(case, own)]
        if name in ("tessera", "tessera-nchw") or not ratios:
            continue
        product = 1.0
        for ratio, _ in ratios:
            product *= ratio ** (1.0 / len(ratios))
        rows.append([name, "%.2f" % product, "%.2f (%s)" % min(ratios), "%.2f (%s)" % max(ratios)])
    return table(["Tessera against", "geometric mean", "least", "most"], rows) if rows else ""


FAR = 0.4  # of the limit: a case below it is named


def far(batch, names):
    """The convolutions below FAR of their limit, by name, lowest first."""
    rows = []
    for case in batch["cases"]:
        if "kernel" not in case:
            continue
        shares = [(case["limit_seconds"] / seconds(case, name), case["seconds"][name]["quiet"]) for name in names
                  if name.startswith("tessera") and seconds(case, name)]
        if shares and min(shares)[0] < FAR:
            bound = "memory" if case["bytes_seconds"] > case["flops_seconds"] else "FMA"
            rows.append((min(shares)[0], [case["label"], bound] +
                         ["%.0f %%%s" % (100 * share, "" if quiet else "*") for share, quiet in shares]))
    own = [name for name in names if name.startswith("tessera")]
    return table(["below %.0f %% of the limit" % (100 * FAR), "limit"] + own,
                 [row for _, row in sorted(rows, key=lambda pair: pair[0])]) if rows else ""


def scaling(data, names):
    """How much faster several threads are than one, for shapes measured with both."""
    out = []
    gemm = [batch for batch in data["batches"] if batch["section"] == "gemm"]
    for many in gemm:
        single = [b for b in gemm if b["threads"] == 1 and b["type"] == many["type"]]
        if many["threads"] == 1 or not single:
            continue
        one = {case["label"]: case for case in single[0]["cases"]}
        rows = []
        for case in many["cases"]:
            base = one.get(case["label"])
            if base:
                both = [(seconds(base, name), seconds(case, name)) for name in names]
                rows.append([case["label"]] + ["%.2f" % (b / c) if b and c else "-" for b, c in both])
        if rows:
            out.append("<h2>%d threads against one, %s</h2>" % (many["threads"], many["type"])
                       + table(["times as fast"] + names, rows))
    return "".join(out)


def bandwidth(batch):
    figure, axes = plt.subplots(figsize=(10, 2.6))
    sizes = [size / 1024 for size, _ in batch["bandwidth"]]
    axes.plot(sizes, [speed * 1e-9 for _, speed in batch["bandwidth"]], marker="o", markersize=3, color="#555",
              label="read")
    if batch.get("copies"):
        axes.plot([size / 1024 for size, _ in batch["copies"]], [speed * 1e-9 for _, speed in batch["copies"]],
                  marker="o", markersize=3, color="#0072b2", label="copied, read and written")
        axes.legend(frameon=False, fontsize=8)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("KiB gone over again and again")
    axes.set_ylabel("GB/s")
    axes.grid(color="#ddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return svg(figure)


def machine(data):
    m = data["machine"]
    out = ["<p>%s, %d CPUs; caches %d KiB, %d KiB, %d MiB; gauges use %s. %s.</p>" % (
        html.escape(m["cpu"]), m["cpus"], m["l1"] >> 10, m["l2"] >> 10, m["l3"] >> 20, html.escape(m["gauges"]),
        html.escape(data["date"]))]
    out.append(table(["library", "version"], [[library["name"], library["about"]] for library in data["libraries"]]))
    out.append("<p class='note'>Each library ran in a process of its own and took turns with the others. A sample "
               "counts when the gauges before and after it (FMA in registers, reads from L2) ran near their best and "
               "no other program held its CPUs. Bars are medians, whiskers the quartiles. Figures with a star had "
               "fewer than three such samples. The limit is the FMA peak or one reading of the operands at the speed "
               "of a buffer of their size, whichever takes longer, measured in the same run.</p>")
    return "".join(out)


def section(batch, names):
    names = [name for name in names if any(seconds(case, name) for case in batch["cases"])] or names
    out = ["<h2>%s</h2>" % html.escape(batch["title"])]
    out.append("<p class='note'>FMA peak %.1f GFLOP/s, reads from memory %.1f GB/s.</p>" % (
        batch["peak_" + batch["type"]] * 1e-9, batch["bandwidth"][-1][1] * 1e-9))
    curve = squares(batch, names) if batch["section"] == "gemm" else None
    if batch["section"] in CURVES:
        curve = CURVES[batch["section"]](batch, names)
    if curve:
        out.append(curve)
    if batch.get("copies"):
        out.append("<p class='note'>Operations count all taps, also those that fall into the padding, as published "
                   "figures do: more than 100 % of the peak is possible. onednn is its own blocked layout without the "
                   "reordering.</p>")
    if batch["section"] not in ("steps", "lengths", "corpus"):
        out.append(bars(batch, names))
    out += [means(batch, names), far(batch, names)]
    out += ["<details><summary>All figures</summary>", figures(batch, names), "</details>"]
    return "".join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    names = libraries(data)
    body = [machine(data)] + [section(batch, names) for batch in data["batches"]] + [scaling(data, names)]
    if data["batches"]:
        body += ["<h2>Reads, one core</h2>", bandwidth(data["batches"][0])]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(PAGE.format(body="".join(body)))


if __name__ == "__main__":
    main()
