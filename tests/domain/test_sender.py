"""When did something happen, if its sender's clock may be wrong?"""

from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.head import SENDERS_KEPT
from incident_bot.domain.sender import BELIEVED, learned, moment
from tests.deciding import later


def test_of_a_sender_not_heard_of_before_the_arrival_counts() -> None:
    assert moment({}, "g/pay", later(-60), later(0)) == (later(0), later(-60))


def test_a_sender_whose_clock_is_right_is_believed_when_its_message_was_late() -> None:
    known = learned({}, "g/pay", later(-1), later(0))
    assert known == {"g/pay": 0}
    assert moment(known, "g/pay", later(60), later(105)) == (later(60), later(60))


def test_the_least_delay_tells_how_far_a_clock_is_behind() -> None:
    known = learned(learned({}, "g/pay", later(-90), later(0)), "g/pay", later(30), later(100))
    assert known == {"g/pay": 70}
    assert learned(known, "g/pay", later(100), later(190)) is known
    assert moment(known, "g/pay", later(200), later(271)) == (later(270), later(270))


def test_a_clock_ahead_is_set_back() -> None:
    known = learned({}, "g/pay", later(100), later(1))
    assert moment(known, "g/pay", later(300), later(201)) == (later(201), later(201))


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(-9000, 9000), st.integers(0, 9000)), max_size=300),
)
def test_nothing_happens_after_it_was_heard_nor_long_before_and_few_senders_are_kept(
    messages: list[tuple[int, int, int]],
) -> None:
    known: dict[str, int] = {}
    for number, said, heard in messages:
        for when in moment(known, f"g/{number}", later(said), later(heard)):
            assert later(heard) - BELIEVED <= when <= later(heard)
        known = dict(learned(known, f"g/{number}", later(said), later(heard)))
        assert len(known) <= SENDERS_KEPT
