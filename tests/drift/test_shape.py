"""What is seen at each path."""

from __future__ import annotations

from durable_replay.drift.documents import Node
from durable_replay.drift.maps import join_maps
from durable_replay.drift.shape import MOST_SHAPES, Budget, Shape, merged, see, settle


def seen(*values: Node) -> Shape:
    shape = Shape(Budget())
    for number, value in enumerate(values, 1):
        see(shape, value, number)
    return settle(shape)


def test_a_shape_counts_each_type_and_field() -> None:
    shape = seen({"a": 1, "b": "x"}, {"a": 2.5}, {"a": None, "b": "x"})
    fields = shape.variants[""].fields
    assert shape.counts == {dict: 3}
    assert fields["a"].counts == {int: 1, float: 1, type(None): 1}
    assert fields["b"].count == 2
    assert fields["b"].texts == {"x": 2}
    assert shape.variants[""].without("b") == 2


def test_elements_are_joined() -> None:
    shape = seen([{"a": 1}, {"b": 2}], [])
    assert shape.element is not None
    assert shape.element.counts == {dict: 2}
    assert set(shape.element.variants[""].fields) == {"a", "b"}
    assert shape.empty == {list: 1}


def test_objects_that_say_what_they_are_are_kept_apart() -> None:
    shape = seen({"type": "a", "x": 1}, {"type": "b", "y": 1})
    assert {said: set(variant.fields) for said, variant in shape.variants.items()} == {
        "a": {"type", "x"},
        "b": {"type", "y"},
    }


def test_keys_that_are_data_are_joined() -> None:
    shape = seen({"2024-05-01": {"n": 1}, "2024-05-02": {"n": 2}})
    assert shape.entry is not None
    assert shape.entry.counts == {dict: 2}
    assert not shape.variants


def test_names_that_hardly_overlap_are_keys_of_a_map_and_optional_fields_are_not() -> None:
    found: set[str] = set()
    join_maps(seen({"ann": 1, "bob": 2}, {"cid": 3, "dan": 4}), None, "$", found)
    assert found == {"$"}
    found.clear()
    join_maps(seen({"id": "a", "name": "b", "nick": "c"}, {"id": "a", "name": "b"}), None, "$", found)
    assert found == set()


def test_memory_is_bounded_by_the_number_of_paths() -> None:
    budget = Budget()
    shape = Shape(budget)
    for i in range(40):
        see(shape, {f"w{chr(97 + i % 26)}{i}x": {f"f{j}y": {"z": j} for j in range(200)}}, i)
    assert budget.capped
    assert budget.left > -MOST_SHAPES


def test_a_path_of_many_different_texts_keeps_none_of_them() -> None:
    shape = seen(*[f"text {i}" for i in range(100)])
    assert shape.texts is None
    assert not shape.numbers


def test_merged_shapes_add_up() -> None:
    whole = merged([seen({"a": "x"}, {"a": "y"}), seen({"a": "x", "b": 1})])
    assert whole.variants[""].count == 3
    assert whole.variants[""].fields["a"].texts == {"x": 2, "y": 1}
