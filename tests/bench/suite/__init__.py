# SPDX-License-Identifier: GPL-3.0-or-later
"""What all items of the benchmark use."""
