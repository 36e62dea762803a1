# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads that end at the same time, and pieces of them."""
import uuid

import pytest

from race import SUBMIT
from session import Call

pytestmark = pytest.mark.usefixtures("rules")

FINISH = "SELECT queue FROM api.finish_file(%s, 0, '\\x00')"


def test_of_two_uploads_of_attachments_the_first_to_end_counts(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    values = {"job": "55555555-0000-7000-8000-000000000001", "queue": "bundle", "hold": True}
    quiet.execute(SUBMIT, values)
    files = [quiet.execute("SELECT file_id FROM api.open_file(%(job)s, 'attachments', NULL, NULL)",
                           values).fetchone()[0] for _ in range(2)]
    Call(one, FINISH, (files[0],), quiet).result()
    call = Call(two, FINISH, (files[1],), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == [], "no job can be claimed because of it"
    two.commit()
    found = quiet.execute("SELECT file_id FROM api.get_file(%(job)s, 'attachments')", values)
    assert found.fetchall() == [(files[0],)]


def artifacts(session, job, count):
    return [session.execute("SELECT file_id FROM api.open_file(%s, 'artifact', NULL, NULL)", (job,)).fetchone()[0]
            for _ in range(count)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_uploads_of_an_artifact_the_last_to_end_counts(connect, order):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    job = f"66666666-0000-7000-8000-00000000000{order[0]}"
    files = artifacts(quiet, job, 3)
    first, second = (sorted(files[:2])[n] for n in order)
    Call(one, FINISH, (first,), quiet).result()
    call = Call(two, FINISH, (second,), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == []
    two.commit()
    states = dict(quiet.execute("SELECT id::text, state FROM tf.file WHERE job_id = %s", (job,)).fetchall())
    assert states == {first: "replaced", second: "complete", files[2]: "open"}


@pytest.mark.parametrize("ending, left", [("commit", 1), ("rollback", 0)])
@pytest.mark.parametrize("other", ["finish", "abandon", "sweep"])
def test_nobody_ends_an_upload_while_a_piece_is_written(connect, other, ending, left):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    sql = {"finish": FINISH, "abandon": "SELECT api.abandon_file(%s)",
           "sweep": "SELECT tfx.sweep_files(10) FROM (SELECT %s) f"}[other]
    file = artifacts(quiet, str(uuid.uuid4()), 1)[0]
    quiet.execute("UPDATE tf.file SET created_at = now() - interval '2 days' WHERE id = %s", (file,))
    one.execute("SELECT api.write_chunk(%s, 0, 'x')", (file,))
    call = Call(two, sql, (file,), quiet)
    if call.settle():
        assert other == "sweep" and call.result() == [(0,)], "it passes by"
    else:
        assert other != "sweep", "the others wait"
    getattr(one, ending)()
    refused = other == "finish" and left == 1  # one byte more than the caller knows of
    assert call.result() == "TF409" if refused else call.error is None
    two.rollback() if refused else two.commit()
    pieces = 0 if other == "abandon" else left
    assert quiet.execute("SELECT count(*) FROM tf.chunk WHERE file_id = %s", (file,)).fetchone() == (pieces,)
    quiet.execute("DELETE FROM tf.file WHERE id = %s", (file,))


def test_no_piece_is_written_to_an_upload_that_has_ended(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    file = artifacts(quiet, str(uuid.uuid4()), 1)[0]
    Call(one, FINISH, (file,), quiet).result()
    call = Call(two, "SELECT api.write_chunk(%s, 0, 'x')", (file,), quiet)
    assert not call.settle(), "it waits for what becomes of the upload"
    one.commit()
    assert call.result() == "TF404"
