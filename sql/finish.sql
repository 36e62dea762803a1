-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last step of an installation: the partitions of the coming weeks.
SELECT tfx.make_partitions(4);
