"""Files that change a schema, and whether the way back came with them."""

import pytest

from deploys.domain.schema_changes import SchemaChanges, is_schema_change, schema_changes_of


@pytest.mark.parametrize(
    "path",
    [
        "shop/migrations/0007_add_price.py",
        "db/migrate/20260304_add_price.rb",
        "alembic/versions/9f86_add.py",
        "src/main/resources/db/migration/V7__add_price.sql",
        "db/changelog/add-price.yaml",
        "prisma/migrations/20260304_add/migration.sql",
        "schema.sql",
        "Shop\\Migrations\\AddPrice.cs",
    ],
)
def test_changes_the_schema(path: str) -> None:
    assert is_schema_change(path)


@pytest.mark.parametrize(
    "path",
    [
        "shop/migrations/__init__.py",
        "db/migrate/README.md",
        "prisma/migrations/migration_lock.toml",
        "shop/pay.py",
        "docs/migrations.html",
    ],
)
def test_changes_no_schema(path: str) -> None:
    assert not is_schema_change(path)


@pytest.mark.parametrize(
    ("step", "undo"),
    [
        ("db/007_add.up.sql", "db/007_add.down.sql"),
        ("db/007_add.sql", "db/007_add.undo.sql"),
        ("db/007_add.sql", "db/007_add-rollback.sql"),
        ("migrations/007_add/up.sql", "migrations/007_add/down.sql"),
        ("sql/V7.1__add_price.sql", "sql/undo/U7.1__whatever.sql"),
        ("schema/deploy/add.sql", "schema/revert/add.sql"),
    ],
)
def test_a_script_with_its_way_back(step: str, undo: str) -> None:
    assert schema_changes_of([undo, step]) == SchemaChanges(migrations=(step,))
    assert schema_changes_of([step]) == SchemaChanges(migrations=(step,), without_undo=(step,))


@pytest.mark.parametrize(
    ("step", "undo"),
    [
        ("db/007_add.sql", "db/008_other.undo.sql"),
        ("db/007_add.sql", "elsewhere/007_add.undo.sql"),
        ("sql/V7__add.sql", "sql/U8__add.sql"),
    ],
)
def test_the_way_back_of_another_script(step: str, undo: str) -> None:
    assert schema_changes_of([step, undo]).without_undo == (step,)


def test_frameworks_keep_the_way_back_inside() -> None:
    assert schema_changes_of(["shop/migrations/0007_add.py"]).without_undo == ()


def test_schema_and_code_in_one() -> None:
    found = schema_changes_of(["shop/pay.py", "shop/migrations/0007_add.py", "shop/pay.py", "README.md"])

    assert found == SchemaChanges(migrations=("shop/migrations/0007_add.py",), other_count=2)
    assert found.is_mixed


@pytest.mark.parametrize("files", [[], ["shop/pay.py"], ["a/migrations/1.py"]])
def test_not_mixed(files: list[str]) -> None:
    assert not schema_changes_of(files).is_mixed
