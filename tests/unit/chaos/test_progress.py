from tests.chaos.progress import recoveries, table

PROGRESS = {"windower": [10.0, 12.0, 20.0], "child": [9.0]}


def test_a_kill_lasts_until_its_part_s_next_work_and_what_was_under_way_is_none() -> None:
    took = recoveries([("windower", 11.9), ("windower", 11.0), ("child", 9.5)], PROGRESS)
    assert [part for part, _ in took] == ["windower", "windower", "child"]
    assert [round(each, 1) if each else each for _, each in took] == [8.1, 1.0, None]


def test_the_table_has_a_row_for_each_part_with_all_its_kills() -> None:
    rows = table([("windower", 2.0), ("child", None), ("windower", 4.0)]).splitlines()[1:]
    assert [row.split() for row in rows] == [["windower", "2", "3.0", "4.0"], ["child", "1", "-", "-"]]
