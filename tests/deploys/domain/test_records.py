"""How facts fold."""

from deploys.domain.records import fold


def test_later_facts_override_key_by_key() -> None:
    assert fold("incident", [{"id": "1", "class": "downtime", "title": "a"}, {"id": "1", "title": None}]) == {
        "id": "1",
        "class": "downtime",
        "title": None,
    }


def test_an_ended_deploy_stays_ended_and_still_learns() -> None:
    ended = {"id": "d", "status": "success", "finished_at": 2}
    late = {"id": "d", "status": "in_progress", "percent": 10, "finished_at": None}

    assert fold("deploy", [ended, late]) == {"id": "d", "status": "success", "finished_at": 2, "percent": 10}


def test_deploys_of_a_commit_add_up() -> None:
    assert fold("change", [{"sha": "a", "deploys": ["1"]}, {"sha": "a", "deploys": ["2", "1"]}])["deploys"] == [
        "1",
        "2",
    ]
