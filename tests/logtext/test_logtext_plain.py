import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.logtext import plain

TEXTS = st.text(st.sampled_from("a[]m;31\x1b\x07\\8 \x9b\x9d\x9cé"), max_size=30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no escapes", "no escapes"),
        ("\x1b[36;1mecho\x1b[0m", "echo"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x07!", "link!"),
        ("a\x1b[2Kb\x1b(Bc\x1b7d", "abcd"),
        ("\x1b[", ""),
        ("x\x1b", "x"),
        ("\x1b]0;never ends", "0;never ends"),
        ("\x9b1mC1", "C1"),
    ],
)
def test_escape_sequences_are_stripped(text: str, shown: str) -> None:
    """The plain text contains only what a terminal would print."""
    assert plain(text).text == shown


@given(TEXTS)
def test_offsets_point_at_the_same_character(text: str) -> None:
    """The offset of each character of the plain text is its place in the original."""
    shown = plain(text)
    places = [shown.offset(index) for index in range(len(shown.text))]
    assert "".join(text[place] for place in places) == shown.text
    assert places == sorted(set(places))
    assert shown.offset(len(shown.text)) == len(text)


@pytest.mark.parametrize("index", [-1, 3])
def test_offsets_beyond_the_text(index: int) -> None:
    """There is no character before the first or after the end."""
    with pytest.raises(IndexError):
        plain("ab").offset(index)
