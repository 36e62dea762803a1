# SPDX-License-Identifier: GPL-3.0-or-later
"""What two sessions do to one job at the same time.

Each pair of actions is run on a job in each state: the first session acts and keeps its transaction
open, the second acts, the first commits or rolls back.  The job must end as it does when the two
act one after the other, in one order or the other, on a quiet database.  test_session_*.py: all else
that is done at the same time."""
import pytest

from race import ACTIONS, Case, STATES
from session import Call

pytestmark = pytest.mark.usefixtures("rules")

# These pass by what another session holds instead of waiting for it.
PASSING_BY = {"claim", "reaper", "release", "renew"}


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("second", ACTIONS)
@pytest.mark.parametrize("first", ACTIONS)
def test_two_actions_at_once_are_as_one_after_the_other(connect, alone, first, second, ending):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for state in STATES:
        case = Case(quiet, state)
        opened = Call(one, ACTIONS[first], case.values, quiet)
        assert opened.settle(), f"nobody else is there yet, but {opened.blockers()}"
        assert opened.refused_or_done(), opened.error
        call = Call(two, ACTIONS[second], case.values, quiet)
        waited = not call.settle()
        getattr(one, ending)()
        call.result()
        assert call.refused_or_done(), call.error
        two.commit()
        before = (first,) if ending == "commit" else ()
        allowed = {alone(state, *before, second), alone(state, second, *before)}
        if second in PASSING_BY and not waited:
            allowed.add(alone(state, *before))  # it asks again before long
        assert case.observe() in allowed, f"{state}: {first}, then {second} (waited: {waited})"
        case.remove()
