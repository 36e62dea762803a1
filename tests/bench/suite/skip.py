# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be measured here."""


class Skip(Exception):
    """Its text tells why."""
