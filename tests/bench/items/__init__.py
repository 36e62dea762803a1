# SPDX-License-Identifier: GPL-3.0-or-later
"""The items, in their order: each has a TITLE and measure(bench)."""
from items import (artifact, claim, delivery, depth, empty, idle, life, logs, replicas, slow, snapshot,
                   submit)

ITEMS = {"empty": empty, "claim": claim, "submit": submit, "life": life, "delivery": delivery, "depth": depth,
         "logs": logs, "artifact": artifact, "idle": idle, "slow": slow, "replicas": replicas,
         "snapshot": snapshot}
