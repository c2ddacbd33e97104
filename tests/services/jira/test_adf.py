import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from durable_jira.adf import to_adf, to_markup

MARKUP = st.lists(
    st.sampled_from(
        [
            "*",
            "_",
            "a",
            "b c",
            "\n",
            "\n\n",
            "{code}",
            "{code:py}",
            "h1. ",
            "# ",
            "* ",
            "** ",
            "*# ",
            "{{",
            "}}",
            "[x|http://y]",
            " ",
        ]
    )
).map("".join)


@given(st.text())
@example("\r\n\x85")
def test_plain_text_survives_the_way_there_and_back(plain: str) -> None:
    assert to_markup(to_adf(plain)) == plain


@given(MARKUP)
def test_any_markup_survives_the_way_there_and_back(markup: str) -> None:
    assert to_markup(to_adf(markup)) == markup


@pytest.mark.parametrize(
    ("markup", "kinds"),
    [
        ("one\n\ntwo", ["paragraph", "paragraph"]),
        ("h2. Title\n\ntext", ["heading", "paragraph"]),
        ("* a\n** b\n* c", ["bulletList"]),
        ("# a\n# b", ["orderedList"]),
        ("{code:python}\na\n\nb\n{code}\n\nafter", ["codeBlock", "paragraph"]),
        ("* a\n# b", ["paragraph"]),
        ("", []),
    ],
)
def test_blocks_are_recognised(markup: str, kinds: list[str]) -> None:
    content = to_adf(markup)["content"]
    assert isinstance(content, list)
    assert [each["type"] for each in content] == kinds
    assert to_markup(to_adf(markup)) == markup


def test_marks_and_line_breaks_become_nodes() -> None:
    assert to_adf("a *b* _c_ {{d}}\n[e|https://f.example]")["content"] == [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "a "},
                {"type": "text", "text": "b", "marks": [{"type": "strong"}]},
                {"type": "text", "text": " "},
                {"type": "text", "text": "c", "marks": [{"type": "em"}]},
                {"type": "text", "text": " "},
                {"type": "text", "text": "d", "marks": [{"type": "code"}]},
                {"type": "hardBreak"},
                {"type": "text", "text": "e", "marks": [{"type": "link", "attrs": {"href": "https://f.example"}}]},
            ],
        }
    ]


def test_a_nested_list_sits_inside_its_item() -> None:
    assert to_adf("* a\n*# b")["content"] == [
        _list("bulletList", _paragraph("a"), _list("orderedList", _paragraph("b")))
    ]


def _paragraph(words: str) -> dict[str, object]:
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def _list(kind: str, *content: dict[str, object]) -> dict[str, object]:
    return {"type": kind, "content": [{"type": "listItem", "content": list(content)}]}


def test_an_unknown_node_keeps_its_text() -> None:
    inner = {
        "type": "paragraph",
        "content": [{"type": "text", "text": "mind"}, {"type": "mention", "attrs": {"text": "@Ann"}}],
    }
    assert (
        to_markup({"type": "doc", "content": [{"type": "panel", "content": [inner, inner]}]}) == "mind@Ann\n\nmind@Ann"
    )


def test_a_document_nested_without_end_is_cut_and_not_followed() -> None:
    node: dict[str, object] = {"type": "text", "text": "deep"}
    for _ in range(5000):
        node = {"type": "panel", "content": [node]}
    assert to_markup(node) == ""
