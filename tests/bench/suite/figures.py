# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, as ratios, and how it is told."""
import json
import statistics

from suite.limits import LIMITS

HEAD = ("item", "figure", "measured", "against", "which made", "ratio", "wanted", "")


class Figure:
    """One line of the table.  A turn adds what was measured and, if there is something to compare with,
    what that made in the same turn; the ratio is the median of the turns' ratios."""

    def __init__(self, item, name, unit, against):
        self.item, self.name, self.unit, self.against = item, name, unit, against
        self.ours, self.theirs = [], []

    def add(self, ours, theirs=None):
        self.ours.append(ours)
        if theirs is not None:
            self.theirs.append(theirs)

    @property
    def ratio(self):
        pairs = [ours / theirs for ours, theirs in zip(self.ours, self.theirs) if theirs]
        return statistics.median(pairs) if pairs else None

    @property
    def limit(self):
        return LIMITS.get((self.item, self.name))

    @property
    def met(self):
        """None: there is no limit, or it could not be measured."""
        if self.limit is None or not self.ours:
            return None
        value = self.ratio if self.theirs else statistics.median(self.ours)
        return None if value is None else self.limit.holds(value)

    def as_json(self):
        return {"item": self.item, "figure": self.name, "unit": self.unit, "measured": self.ours,
                "against": self.against, "made": self.theirs, "ratio": self.ratio,
                "wanted": str(self.limit) if self.limit else None, "met": self.met}

    def cells(self):
        made = amount(statistics.median(self.theirs), self.unit) if self.theirs else ""
        verdict = {None: "", True: "yes", False: "NO"}[self.met]
        return (self.item, self.name, amount(statistics.median(self.ours), self.unit), self.against or "",
                made, "" if self.ratio is None else f"{self.ratio:.2f}",
                str(self.limit) if self.limit else "", verdict)


def amount(value, unit):
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


class Figures:
    """All of a run, and what went wrong while it counted."""

    def __init__(self):
        self.list = []
        self.wrong = []    # counts that do not fit
        self.skipped = []  # (item, why)
        self.notes = []    # (item, text)

    def figure(self, item, name, unit, against=None):
        for one in self.list:
            if (one.item, one.name) == (item, name):
                return one
        self.list.append(Figure(item, name, unit, against))
        return self.list[-1]

    def table(self):
        rows = [HEAD, *(one.cells() for one in self.list if one.ours)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
        lines = ["  ".join(cell.rjust(width) if i in (2, 4, 5) else cell.ljust(width)
                           for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
        lines += [f"note: {item}: {text}" for item, text in self.notes]
        lines += [f"skipped: {item}: {why}" for item, why in dict.fromkeys(self.skipped)]
        lines += [f"WRONG COUNT: {item}: {text}" for item, text in self.wrong]
        return "\n".join(lines)

    def write(self, path, **about):
        path.write_text(json.dumps({**about, "figures": [one.as_json() for one in self.list],
                                    "notes": self.notes, "skipped": self.skipped,
                                    "wrong": self.wrong}, indent=1) + "\n")

    def missed(self):
        return [one for one in self.list if one.met is False]
