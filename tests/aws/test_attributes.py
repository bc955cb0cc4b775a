"""Does an item survive DynamoDB's spelling, with int and float apart?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.aws.attributes import attributes, decoded, encoded, item

numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(-1e125, 1e125).filter(lambda f: f == 0 or abs(f) > 1e-130)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), values, max_size=5))
def test_what_was_spelled_is_read_back_with_its_types(original: dict[str, Any]) -> None:
    assert repr(item(attributes(original))).replace("-0.0", "0.0") == repr(original).replace("-0.0", "0.0")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ({"N": "12"}, 12),
        ({"N": "-3"}, -3),
        ({"N": "0.5"}, 0.5),
        ({"N": "1E+30"}, 1e30),
        ({"NS": ["1"]}, 1.0),
        ({"NULL": True}, None),
        ({"BOOL": False}, False),
        ({"L": [{"S": "a"}, {"M": {"b": {"N": "1"}}}]}, ["a", {"b": 1}]),
    ],
)
def test_what_dynamodb_answers_is_understood(attribute: dict[str, Any], value: Any) -> None:
    assert repr(decoded(attribute)) == repr(value)


@pytest.mark.parametrize("value", [10**38, -(10**38), 1e126, 1e-131, float("nan"), {1: 2}, {"a"}], ids=repr)
def test_what_dynamodb_cannot_keep_is_refused_before_it_is_asked(value: Any) -> None:
    with pytest.raises(TypeError):
        encoded(value)
