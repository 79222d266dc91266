from reliability.formats.prometheus import Family, exposition


def test_families_are_written_with_help_type_and_escaped_labels() -> None:
    families = [
        Family("upshot_a_ratio", "What\nit \\ says.", [({}, 0.5), ({"service": 'a"b\\c\nd', "x": "é"}, 1.0)]),
        Family("upshot_b_seconds", "Nothing known.", [({}, None)]),
        Family("upshot_c", "Counts.", [({"service": ""}, 12), ({"service": "none"}, None)]),
    ]

    assert exposition(families) == (
        "# HELP upshot_a_ratio What\\nit \\\\ says.\n"
        "# TYPE upshot_a_ratio gauge\n"
        "upshot_a_ratio 0.5\n"
        'upshot_a_ratio{service="a\\"b\\\\c\\nd",x="é"} 1\n'
        "# HELP upshot_c Counts.\n"
        "# TYPE upshot_c gauge\n"
        'upshot_c{service=""} 12\n'
    )


def test_nothing_known_is_an_empty_text() -> None:
    assert exposition([]) == ""
