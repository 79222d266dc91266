from deploys.domain.environments import tier


def test_production_however_it_is_spelled() -> None:
    assert [tier(name) for name in ("production", "Prod-EU", "LIVE", "live2")] == ["production"] * 4
    assert [tier(name) for name in ("Staging", "preprod", "test")] == ["staging", "preprod", "test"]
