"""cqlengine, the object mapper that comes with the drivers: it makes tables from classes."""

from __future__ import annotations

import datetime
import uuid
import warnings
from types import SimpleNamespace
from typing import ClassVar

import pytest
from cassandra.cqlengine import columns, connection
from cassandra.cqlengine.management import CQLENG_ALLOW_SCHEMA_MANAGEMENT, drop_table, sync_table
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.query import BatchQuery, BatchType, LWTException
from cassandra.cqlengine.usertype import UserType

from .conftest import eventually, open_cluster

ADA, BO, CY = (uuid.UUID(int=number, version=4) for number in (1, 2, 3))
NEW_YEAR = datetime.date(2030, 1, 1)


@pytest.fixture(scope="module")
def mapped(engine, keyspace):
    """The mapper's own connection, which reads the schema. It goes with its cluster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CQLENG_ALLOW_SCHEMA_MANAGEMENT, "1")
        connection.register_connection(keyspace, session=open_cluster(engine).connect(), default=True)
        yield keyspace
        connection.unregister_connection(keyspace)


def _models(keyspace: str) -> SimpleNamespace:
    """The classes of a small app."""

    class Address(UserType):
        street = columns.Text()
        zip = columns.Integer()

    class Visitor(Model):
        __keyspace__, __table_name__ = keyspace, "visitors"
        __options__: ClassVar = {
            "comment": "those who came",
            "gc_grace_seconds": 3600,
            "compaction": {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": "64"},
        }

        id = columns.UUID(primary_key=True)
        name = columns.Text(index=True)
        home = columns.UserDefinedType(Address)
        tags = columns.Set(columns.Text)
        notes = columns.List(columns.Text)
        phones = columns.Map(columns.Text, columns.Integer)
        paid = columns.Decimal(db_field="Paid")
        seen = columns.DateTime()

    class Visit(Model):
        __keyspace__, __table_name__ = keyspace, "visits"

        visitor = columns.UUID(partition_key=True)
        day = columns.Date(primary_key=True, clustering_order="DESC")
        gate = columns.SmallInt(primary_key=True)
        greeting = columns.Text(static=True)
        minutes = columns.Integer()

    class Footfall(Model):
        __keyspace__, __table_name__ = keyspace, "footfall"

        gate = columns.Integer(partition_key=True)
        day = columns.Date(primary_key=True)
        came = columns.Counter()

    return SimpleNamespace(Address=Address, Visitor=Visitor, Visit=Visit, Footfall=Footfall)


@pytest.fixture(scope="module")
def models(mapped):
    models = _models(mapped)
    for model in (models.Visitor, models.Visit, models.Footfall):
        sync_table(model)
    return models


@pytest.fixture
def ada(models):
    """Her row, as it is at the beginning of each test."""
    visitor = models.Visitor.create(
        id=ADA,
        name="Ada",
        home=models.Address(street="Pier", zip=1),
        tags={"a", "b"},
        notes=["one"],
        phones={"home": 1},
        paid="1.50",
        seen=datetime.datetime(2030, 1, 1, 10),
    )
    yield visitor
    visitor.delete()


# ---------------------------------------------------------------- the schema


def test_a_second_sync_changes_nothing(models, mapped, run):
    """It finds types, options and indexes as it made them: it would warn, or alter."""
    before = run(f"DESCRIBE KEYSPACE {mapped}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (models.Visitor, models.Visit, models.Footfall):
            sync_table(model)
    assert run(f"DESCRIBE KEYSPACE {mapped}") == before
    assert [kind for _, kind, _, _ in before].count("table") == 3
    assert any(text.startswith("CREATE INDEX visitors_name_idx ON ") for *_, text in before)


def test_what_a_model_has_more_is_added(mapped, run):
    def model(**more):
        fields = {"street": columns.Text(), **({"zip": columns.Integer()} if more else {})}
        place = type("Place", (UserType,), fields)
        own = {"__keyspace__": mapped, "__table_name__": "growing", "id": columns.Integer(primary_key=True)}
        return place, type("Growing", (Model,), {**own, "place": columns.UserDefinedType(place), **more})

    place, growing = model()
    sync_table(growing)
    growing.create(id=1, place=place(street="Pier"))
    place, growing = model(name=columns.Text(index=True))
    sync_table(growing)
    assert (growing.get(id=1).name, growing.get(id=1).place) == (None, place(street="Pier", zip=None))
    growing.create(id=2, place=place(street="Dock", zip=2), name="second")
    assert [found.place.zip for found in eventually(lambda: list(growing.objects.filter(name="second")))] == [2]
    drop_table(growing)
    assert (
        run("SELECT * FROM system_schema.tables WHERE keyspace_name = %s AND table_name = 'growing'", (mapped,)) == []
    )


# ---------------------------------------------------------------- rows


def test_a_row_comes_back_as_it_was(models, ada):
    found = models.Visitor.get(id=ADA)
    assert dict(found) == dict(ada)
    assert (found.home.street, found.phones["home"]) == ("Pier", 1)


def test_a_save_writes_what_changed(models, ada):
    """Of collections it sends the difference, and deletes what became None."""
    ada.tags = {"b", "c"}
    ada.notes = ["zero", "one", "two"]
    ada.phones = {"work": 2}
    ada.home = models.Address(street="Dock", zip=None)
    ada.seen = None
    ada.save()
    found = models.Visitor.get(id=ADA)
    assert (found.tags, found.notes, found.phones, found.seen) == (
        {"b", "c"},
        ["zero", "one", "two"],
        {"work": 2},
        None,
    )
    assert (found.home.street, found.home.zip) == ("Dock", None)


def test_collections_are_changed_in_place(models, ada):
    this = models.Visitor.objects(id=ADA)
    this.update(tags__add={"c"}, notes__append=["two"], phones__update={"work": 2})
    this.update(tags__remove={"a"}, notes__prepend=["zero"], phones__remove={"home"})
    found = this.get()
    assert (found.tags, found.notes, found.phones) == ({"b", "c"}, ["zero", "one", "two"], {"work": 2})


def test_rows_are_asked_for(models):
    visits, day = models.Visit, datetime.timedelta(days=1)
    for n in range(4):
        visits.create(visitor=ADA, day=NEW_YEAR + n * day, gate=n % 2, minutes=10 * n, greeting="Ahoy")
    hers = visits.objects(visitor=ADA)
    assert hers.count() == 4
    assert list(hers.values_list("minutes", flat=True)) == [30, 20, 10, 0]
    assert list(hers.order_by("day").limit(2).values_list("minutes", flat=True)) == [0, 10]
    assert [v.gate for v in hers.filter(day__gt=NEW_YEAR, day__lte=NEW_YEAR + 2 * day)] == [0, 1]
    assert [v.minutes for v in hers.filter(minutes__gte=20).allow_filtering()] == [30, 20]
    assert [v.minutes for v in visits.objects(visitor__in=[ADA, BO], day=NEW_YEAR)] == [0]
    assert [v.greeting for v in visits.objects.distinct(["visitor", "greeting"])] == ["Ahoy"]
    assert len(list(visits.objects.all().fetch_size(3))) == 4
    hers.filter(day=NEW_YEAR).delete()
    assert visits.objects(visitor=ADA).count() == 3


def test_an_index_is_asked(models, ada):
    assert [v.id for v in eventually(lambda: list(models.Visitor.objects(name="Ada")))] == [ADA]


def test_a_row_may_end_by_itself(models, left, run, mapped):
    models.Visitor.ttl(1000).create(id=CY, name="Cy", paid=1)
    models.Visitor.objects(id=CY).timestamp(datetime.timedelta(hours=-1)).update(name="Nobody")  # too late
    models.Visitor.objects(id=CY).ttl(2000).update(paid=2)
    ((name, name_ttl, paid_ttl),) = run(
        f'SELECT name, ttl(name), ttl("Paid") FROM {mapped}.visitors WHERE id = %s', (CY,)
    )
    assert name == "Cy"
    assert name_ttl in left(1000)
    assert paid_ttl in left(2000)


# ---------------------------------------------------------------- counters, batches, conditions


def test_counters_count(models):
    models.Footfall.objects(gate=1, day=NEW_YEAR).update(came=2)
    counted = models.Footfall.get(gate=1, day=NEW_YEAR)
    counted.came += 5
    counted.update()
    models.Footfall(gate=1, day=NEW_YEAR).update(came=-1)
    assert models.Footfall.get(gate=1, day=NEW_YEAR).came == 6


def test_a_batch_is_one_statement(models, ada):
    with BatchQuery() as batch:
        models.Visitor.batch(batch).create(id=BO, name="Bo", tags={"x"})
        models.Visit.batch(batch).create(visitor=BO, day=NEW_YEAR, gate=9, minutes=1)
        models.Visitor.objects(id=ADA).batch(batch).update(name="Ada L.")
    assert models.Visitor.get(id=BO).tags == {"x"}
    assert models.Visitor.get(id=ADA).name == "Ada L."
    assert models.Visit.get(visitor=BO, day=NEW_YEAR, gate=9).minutes == 1


def test_batches_have_types_and_timestamps(models):
    with BatchQuery(BatchType.Unlogged, timestamp=datetime.timedelta(hours=-1)) as batch:
        models.Visit.batch(batch).create(visitor=BO, day=NEW_YEAR, gate=8, minutes=1)
    models.Visit.create(visitor=BO, day=NEW_YEAR, gate=8, minutes=2)
    with BatchQuery(BatchType.Unlogged, timestamp=datetime.timedelta(hours=-1)) as batch:
        models.Visit.batch(batch).create(visitor=BO, day=NEW_YEAR, gate=8, minutes=3)
    assert models.Visit.get(visitor=BO, day=NEW_YEAR, gate=8).minutes == 2
    with BatchQuery(BatchType.Counter) as batch:
        for gate in (7, 8):
            models.Footfall.objects(gate=gate, day=NEW_YEAR).batch(batch).update(came=gate)
    assert [models.Footfall.get(gate=gate).came for gate in (7, 8)] == [7, 8]


def test_conditions(models, ada):
    with pytest.raises(LWTException) as refused:
        models.Visitor.if_not_exists().create(id=ADA, name="Somebody")
    assert refused.value.existing["name"] == "Ada"
    with pytest.raises(LWTException) as refused:
        models.Visitor.objects(id=ADA).iff(name="Somebody").update(paid=2)
    assert refused.value.existing == {"[applied]": False, "name": "Ada"}
    models.Visitor.objects(id=ADA).iff(name="Ada").update(paid=2)
    assert models.Visitor.get(id=ADA).paid == 2
    with pytest.raises(LWTException):
        models.Visitor.objects(id=uuid.UUID(int=9, version=4)).if_exists().update(name="Nobody")
