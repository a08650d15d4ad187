"""Schemas of the shape that well-known programs bring, with what such a program writes and asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Program:
    """``schema``: statements, one behind the other. ``writes``: texts with their values. ``questions``: texts
    with their values and the rows that must come. ``differs``: an engine that rightly refuses it, and why."""

    name: str
    schema: tuple[str, ...]
    writes: tuple[tuple[str, Row], ...]
    questions: tuple[tuple[str, Row, list[Row]], ...]
    differs: tuple[tuple[str, str], ...] = ()


def _id(number: int) -> UUID:
    return UUID(int=number, version=4)


def _moment(number: int) -> UUID:
    """A timeuuid; a higher number is later."""
    return UUID(fields=(number, 0, 0x11EF, 0x80, 0, 1))


def _time_of(moment: UUID) -> datetime:
    return datetime(1582, 10, 15) + timedelta(milliseconds=moment.time // 10_000)


# ---------------------------------------------------------------- load generators

# Names in capitals that are quoted, a key that is not, a table of counters, and options as maps.
_blobs = tuple(b"%034d" % n for n in range(5))
STRESS = Program(
    "cassandra-stress",
    (
        'CREATE TABLE IF NOT EXISTS standard1 (key blob PRIMARY KEY, "C0" blob, "C1" blob, "C2" blob, "C3" blob, '
        '"C4" blob) WITH compression = {}',
        'CREATE TABLE IF NOT EXISTS counter1 (key blob PRIMARY KEY, "C0" counter, "C1" counter, "C2" counter, '
        '"C3" counter, "C4" counter) WITH compression = {}',
        "CREATE TABLE everything (name text, choice boolean, made date, at inet, amount double, number int, "
        "small smallint, tiny tinyint, big bigint, huge varint, ratio float, price decimal, seen timestamp, hour time, "
        "id uuid, moment timeuuid, letters ascii, span duration, body blob, "
        "PRIMARY KEY ((name, choice), made, at, number)) "
        "WITH compaction = {'class': 'LeveledCompactionStrategy'} AND comment = 'one of each' "
        "AND compression = {'sstable_compression': 'LZ4Compressor', 'chunk_length_in_kb': 64} "
        "AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'} AND gc_grace_seconds = 3600",
    ),
    (
        ('UPDATE "standard1" SET "C0" = ?, "C1" = ?, "C2" = ?, "C3" = ?, "C4" = ? WHERE KEY = ?', (*_blobs, b"key")),
        ('UPDATE counter1 SET "C0" = "C0" + ?, "C1" = "C1" + ?, "C4" = "C4" - ? WHERE KEY = ?', (1, 2, 3, b"key")),
        ('UPDATE counter1 SET "C0" = "C0" + ? WHERE KEY = ?', (41, b"key")),
        (
            "INSERT INTO everything (name, choice, made, at, number, amount, small, tiny, big, huge, ratio, price, "
            "seen, hour, id, moment, letters, span, body) "
            "VALUES (?, true, '2030-01-01', '10.0.0.1', ?, 0.5, 2, 3, 4, 12345678901234567890, 0.25, 1.50, "
            "'2030-01-01 10:00:00+0000', '10:00:00.5', ?, ?, 'abc', 1mo2d3h, 0xff)",
            ("some", 7, _id(1), _moment(1)),
        ),
        (
            "UPDATE everything SET big = ? WHERE name = ? AND choice = true AND made = '2030-01-01' "
            "AND at = '10.0.0.1' AND number = 7",
            (2**40, "some"),
        ),
    ),
    (
        ('SELECT * FROM "standard1" WHERE KEY = ?', (b"key",), [(b"key", *_blobs)]),
        ('SELECT "C0", "C1", "C2", "C4" FROM counter1 WHERE KEY = ?', (b"key",), [(42, 2, None, -3)]),
        (
            "SELECT made, at, big, huge, price, letters, body FROM everything WHERE name = ? AND choice = ? LIMIT 100",
            ("some", True),
            [(date(2030, 1, 1), "10.0.0.1", 2**40, 12345678901234567890, Decimal("1.50"), "abc", b"\xff")],
        ),
        (
            "SELECT number FROM everything WHERE name = ? AND choice = ? AND made > ? AND made < ?",
            ("some", True, date(2029, 1, 1), date(2031, 1, 1)),
            [(7,)],
        ),
    ),
    differs=(("cassandra", "release 5 knows no compression without a class, which stands for none at ScyllaDB"),),
)

_fields = ", ".join(f"field{n}" for n in range(10))
YCSB = Program(
    "YCSB",
    (f"CREATE TABLE usertable (y_id varchar PRIMARY KEY, {_fields.replace(',', ' varchar,')} varchar)",),
    (
        *(
            (
                f"INSERT INTO usertable (y_id, {_fields}) VALUES (?{', ?' * 10})",
                (f"user{user}", *(f"{user}.{n}" for n in range(10))),
            )
            for user in range(3)
        ),
        ("UPDATE usertable SET field0 = ?, field9 = ? WHERE y_id = ?", ("new", "newer", "user1")),
        ("DELETE FROM usertable WHERE y_id = ?", ("user2",)),
    ),
    (
        ("SELECT field0, field1, field9 FROM usertable WHERE y_id = ?", ("user1",), [("new", "1.1", "newer")]),
        ("SELECT * FROM usertable WHERE y_id = ?", ("user0",), [("user0", *(f"0.{n}" for n in range(10)))]),
        ("SELECT y_id FROM usertable WHERE y_id = ?", ("user2",), []),
        ("SELECT y_id FROM usertable WHERE token(y_id) >= token(?) LIMIT ?", ("user1", 1), [("user1",)]),
    ),
)


# ---------------------------------------------------------------- applications

_morning = datetime(2030, 1, 1, 8)
CARE_PET = Program(
    "Care Pet",
    (
        "CREATE TABLE IF NOT EXISTS owner (owner_id uuid, name text, address text, PRIMARY KEY (owner_id))",
        "CREATE TABLE IF NOT EXISTS pet (owner_id uuid, pet_id uuid, chip_id text, name text, species text, "
        "breed text, color text, gender text, age int, weight float, address text, PRIMARY KEY (owner_id, pet_id))",
        "CREATE TABLE IF NOT EXISTS sensor (pet_id uuid, sensor_id uuid, type text, PRIMARY KEY (pet_id, sensor_id))",
        "CREATE TABLE IF NOT EXISTS measurement (sensor_id uuid, ts timestamp, value float, "
        "PRIMARY KEY (sensor_id, ts)) WITH compaction = {'class': 'TimeWindowCompactionStrategy', "
        "'compaction_window_unit': 'DAYS', 'compaction_window_size': 1} AND default_time_to_live = 864000",
        "CREATE TABLE IF NOT EXISTS sensor_avg (sensor_id uuid, date date, hour int, value float, "
        "PRIMARY KEY (sensor_id, date, hour))",
    ),
    (
        ("INSERT INTO owner (owner_id, name, address) VALUES (?, ?, ?)", (_id(1), "Ada", "Pier 1")),
        (
            "INSERT INTO pet (owner_id, pet_id, name, age, weight) VALUES (?, ?, ?, ?, ?)",
            (_id(1), _id(2), "Rex", 3, 7.5),
        ),
        ("INSERT INTO sensor (pet_id, sensor_id, type) VALUES (?, ?, ?)", (_id(2), _id(3), "T")),
        *(
            (
                "INSERT INTO measurement (sensor_id, ts, value) VALUES (?, ?, ?)",
                (_id(3), _morning.replace(minute=m), m / 2),
            )
            for m in (1, 2, 3)
        ),
        (
            "INSERT INTO sensor_avg (sensor_id, date, hour, value) VALUES (?, ?, ?, ?)",
            (_id(3), date(2030, 1, 1), 8, 1.0),
        ),
    ),
    (
        ("SELECT name, address FROM owner WHERE owner_id = ?", (_id(1),), [("Ada", "Pier 1")]),
        ("SELECT pet_id, weight, breed FROM pet WHERE owner_id = ?", (_id(1),), [(_id(2), 7.5, None)]),
        ("SELECT sensor_id, type FROM sensor WHERE pet_id = ?", (_id(2),), [(_id(3), "T")]),
        (
            "SELECT value FROM measurement WHERE sensor_id = ? AND ts >= ? AND ts <= ?",
            (_id(3), _morning, _morning.replace(minute=2)),
            [(0.5,), (1.0,)],
        ),
        ("SELECT avg(value) FROM measurement WHERE sensor_id = ?", (_id(3),), [(1.0,)]),
        (
            "SELECT hour, value FROM sensor_avg WHERE sensor_id = ? AND date = ?",
            (_id(3), date(2030, 1, 1)),
            [(8, 1.0)],
        ),
    ),
)

KILLRVIDEO = Program(
    "KillrVideo",
    (
        "CREATE TYPE IF NOT EXISTS video_encoding (encoding text, height int, width int, bit_rates set<text>)",
        "CREATE TYPE IF NOT EXISTS video_metadata (made timestamp, credits map<text, text>, "
        "encodings list<frozen<video_encoding>>)",
        "CREATE TABLE user_credentials (email text PRIMARY KEY, password text, userid uuid)",
        "CREATE TABLE users (userid uuid PRIMARY KEY, firstname text, email text, created_date timestamp)",
        "CREATE TABLE videos (videoid uuid PRIMARY KEY, userid uuid, name text, tags set<text>, "
        "preview_thumbnails map<text, text>, metadata set<frozen<video_metadata>>, added_date timestamp)",
        "CREATE INDEX videos_by_tag ON videos (tags)",
        "CREATE TABLE user_videos (userid uuid, added_date timestamp, videoid uuid, name text, "
        "PRIMARY KEY (userid, added_date, videoid)) WITH CLUSTERING ORDER BY (added_date DESC, videoid ASC)",
        "CREATE TABLE latest_videos (yyyymmdd text, added_date timestamp, videoid uuid, name text, "
        "PRIMARY KEY (yyyymmdd, added_date, videoid)) WITH CLUSTERING ORDER BY (added_date DESC, videoid ASC)",
        "CREATE TABLE video_rating (videoid uuid PRIMARY KEY, rating_counter counter, rating_total counter)",
        "CREATE TABLE comments_by_video (videoid uuid, commentid timeuuid, userid uuid, comment text, "
        "PRIMARY KEY (videoid, commentid)) WITH CLUSTERING ORDER BY (commentid DESC)",
        "CREATE TABLE video_event (videoid uuid, userid uuid, event text, event_timestamp timeuuid, "
        "video_timestamp bigint, PRIMARY KEY ((videoid, userid), event_timestamp, event)) "
        "WITH CLUSTERING ORDER BY (event_timestamp DESC, event ASC)",
        "ALTER TABLE videos ADD location_type int",
    ),
    (
        (
            "INSERT INTO user_credentials (email, password, userid) VALUES (?, ?, ?) IF NOT EXISTS",
            ("ada@example.org", "secret", _id(1)),
        ),
        (
            "INSERT INTO videos (videoid, userid, name, tags, preview_thumbnails, metadata) VALUES (?, ?, ?, ?, ?, ?)",
            (
                _id(2),
                _id(1),
                "Cats",
                {"cats", "fun"},
                {"10": "/a.png"},
                [(_morning, {"by": "Ada"}, [("mp4", 480, 640, ["3000"])])],
            ),
        ),
        (
            "BEGIN BATCH "
            "INSERT INTO user_videos (userid, added_date, videoid, name) VALUES (?, ?, ?, ?); "
            "INSERT INTO latest_videos (yyyymmdd, added_date, videoid, name) VALUES (?, ?, ?, ?) USING TTL 604800; "
            "APPLY BATCH",
            (_id(1), _morning, _id(2), "Cats", "20300101", _morning, _id(2), "Cats"),
        ),
        (
            "INSERT INTO latest_videos (yyyymmdd, added_date, videoid, name) VALUES (?, ?, ?, ?)",
            ("20300101", _morning.replace(hour=9), _id(3), "Dogs"),
        ),
        *(
            (
                "UPDATE video_rating SET rating_counter = rating_counter + 1, rating_total = rating_total + ? "
                "WHERE videoid = ?",
                (stars, _id(2)),
            )
            for stars in (3, 5)
        ),
        *(
            (
                "INSERT INTO comments_by_video (videoid, commentid, userid, comment) VALUES (?, ?, ?, ?)",
                (_id(2), _moment(n), _id(1), f"comment {n}"),
            )
            for n in (1, 2, 3)
        ),
        ("UPDATE videos SET tags = tags + ?, location_type = 1 WHERE videoid = ?", ({"new"}, _id(2))),
        (
            "INSERT INTO video_event (videoid, userid, event, event_timestamp, video_timestamp) VALUES (?, ?, ?, ?, ?)",
            (_id(2), _id(1), "start", _moment(1), 0),
        ),
    ),
    (
        ("SELECT password FROM user_credentials WHERE email = ?", ("ada@example.org",), [("secret",)]),
        (
            "SELECT tags, preview_thumbnails['10'], location_type FROM videos WHERE videoid = ?",
            (_id(2),),
            [({"cats", "fun", "new"}, "/a.png", 1)],
        ),
        ("SELECT videoid FROM videos WHERE tags CONTAINS ?", ("new",), [(_id(2),)]),
        (
            "SELECT name, added_date FROM latest_videos WHERE yyyymmdd = ? LIMIT 10",
            ("20300101",),
            [("Dogs", _morning.replace(hour=9)), ("Cats", _morning)],
        ),
        (
            "SELECT name FROM latest_videos WHERE yyyymmdd = ? AND (added_date, videoid) <= (?, ?)",
            ("20300101", _morning, _id(2)),
            [("Cats",)],
        ),
        ("SELECT rating_counter, rating_total FROM video_rating WHERE videoid = ?", (_id(2),), [(2, 8)]),
        (
            "SELECT comment, toTimestamp(commentid) FROM comments_by_video WHERE videoid = ? AND commentid <= ?",
            (_id(2), _moment(2)),
            [(f"comment {n}", _time_of(_moment(n))) for n in (2, 1)],
        ),
        (
            "SELECT event FROM video_event WHERE videoid = ? AND userid = ? LIMIT 1",
            (_id(2), _id(1)),
            [("start",)],
        ),
    ),
)

_night, _address = date(2030, 1, 1), ("Pier 1", "Hamburg", "20457")
HOTEL = Program(
    "hotel reservations",
    (
        "CREATE TYPE address (street text, city text, postal_code text)",
        "CREATE TABLE hotels (id text PRIMARY KEY, name text, phone text, address frozen<address>, pois set<text>)",
        "CREATE TABLE hotels_by_poi (poi_name text, hotel_id text, name text, address frozen<address>, "
        "PRIMARY KEY (poi_name, hotel_id)) WITH comment = 'hotels near a point of interest' "
        "AND CLUSTERING ORDER BY (hotel_id ASC)",
        "CREATE TABLE available_rooms_by_hotel_date (hotel_id text, date date, room_number smallint, "
        "is_available boolean, PRIMARY KEY (hotel_id, date, room_number))",
        "CREATE TABLE amenities_by_room (hotel_id text, room_number smallint, amenity_name text, description text, "
        "PRIMARY KEY ((hotel_id, room_number), amenity_name))",
        "CREATE TABLE reservations_by_hotel_date (hotel_id text, start_date date, end_date date, room_number smallint, "
        "confirm_number text, guest_id uuid, PRIMARY KEY ((hotel_id, start_date), room_number))",
        "CREATE MATERIALIZED VIEW reservations_by_confirmation AS SELECT * FROM reservations_by_hotel_date "
        "WHERE confirm_number IS NOT NULL AND hotel_id IS NOT NULL AND start_date IS NOT NULL "
        "AND room_number IS NOT NULL PRIMARY KEY (confirm_number, hotel_id, start_date, room_number)",
        "CREATE TABLE guests (guest_id uuid PRIMARY KEY, first_name text, emails set<text>, phone_numbers list<text>, "
        "addresses map<text, frozen<address>>, home address)",
        "CREATE INDEX ON guests (first_name)",
        "ALTER TYPE address ADD country text",
    ),
    (
        (
            "INSERT INTO hotels (id, name, address, pois) VALUES (?, ?, ?, ?)",
            ("H1", "Harbour", (*_address, "DE"), {"Harbour", "Fair"}),
        ),
        (
            "INSERT INTO hotels_by_poi (poi_name, hotel_id, name, address) "
            "VALUES (?, ?, ?, {street: 'Pier 1', city: 'Hamburg'})",
            ("Fair", "H1", "Harbour"),
        ),
        *(
            (
                "INSERT INTO available_rooms_by_hotel_date (hotel_id, date, room_number, is_available) "
                "VALUES (?, ?, ?, true)",
                ("H1", _night + timedelta(days=day), room),
            )
            for day in range(3)
            for room in (101, 102)
        ),
        (
            "UPDATE available_rooms_by_hotel_date SET is_available = false "
            "WHERE hotel_id = ? AND date = ? AND room_number = ? IF is_available = true",
            ("H1", _night, 101),
        ),
        (
            "INSERT INTO reservations_by_hotel_date "
            "(hotel_id, start_date, end_date, room_number, confirm_number, guest_id) VALUES (?, ?, ?, ?, ?, ?)",
            ("H1", _night, _night + timedelta(days=1), 101, "R1", _id(1)),
        ),
        (
            "INSERT INTO guests (guest_id, first_name, emails, phone_numbers, addresses, home) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (_id(1), "Ada", {"ada@example.org"}, ["1", "2"], {"home": (*_address, None)}, (*_address, None)),
        ),
        (
            "UPDATE guests SET home.country = ?, phone_numbers = phone_numbers + ? WHERE guest_id = ?",
            ("DE", ["3"], _id(1)),
        ),
        (
            "UPDATE guests SET addresses['work'] = {street: 'Dock 2'}, emails = emails - ? WHERE guest_id = ?",
            ({"ada@example.org"}, _id(1)),
        ),
    ),
    (
        (
            "SELECT name, address, address.country FROM hotels WHERE id = ?",
            ("H1",),
            [("Harbour", (*_address, "DE"), "DE")],
        ),
        (
            "SELECT hotel_id, address FROM hotels_by_poi WHERE poi_name = ?",
            ("Fair",),
            [("H1", ("Pier 1", "Hamburg", None, None))],
        ),
        (
            "SELECT date, room_number FROM available_rooms_by_hotel_date "
            "WHERE hotel_id = ? AND date >= ? AND date < ? AND is_available = true ALLOW FILTERING",
            ("H1", _night, _night + timedelta(days=2)),
            [(_night, 102), (_night + timedelta(days=1), 101), (_night + timedelta(days=1), 102)],
        ),
        (
            "SELECT date, count(*) FROM available_rooms_by_hotel_date WHERE hotel_id = ? GROUP BY date",
            ("H1",),
            [(_night + timedelta(days=day), 2) for day in range(3)],
        ),
        (
            "SELECT hotel_id, start_date, guest_id FROM reservations_by_confirmation WHERE confirm_number = ?",
            ("R1",),
            [("H1", _night, _id(1))],
        ),
        (
            "SELECT emails, phone_numbers, addresses, home FROM guests WHERE first_name = ?",
            ("Ada",),
            [
                (
                    None,
                    ["1", "2", "3"],
                    {"home": (*_address, None), "work": ("Dock 2", None, None, None)},
                    (*_address, "DE"),
                )
            ],
        ),
    ),
)

PROGRAMS = (STRESS, YCSB, CARE_PET, KILLRVIDEO, HOTEL)
