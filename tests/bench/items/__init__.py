# SPDX-License-Identifier: GPL-3.0-or-later
"""The items, in their order: each has a TITLE and measure(bench)."""
from items import claim, empty, life, submit

ITEMS = {"empty": empty, "claim": claim, "submit": submit, "life": life}
