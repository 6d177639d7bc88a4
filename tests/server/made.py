"""Invented stations: one or a few for each thing that the server must get right."""

from __future__ import annotations

from typing import Any

CCS, TYPE_2 = 33, 25
PLACES = {
    # A corridor along 52 N from 0 to 1 E, and points about it.
    201: (52.045, 0.5),
    202: (52.06, 0.5),
    203: (52.0, -0.04),
    204: (52.0, -0.06),
    205: (52.045, -0.02),
    206: (52.5, 0.5),
    # One degree east of (0, 0).
    301: (0.0, 1.0),
    # Brownsville, under the bulge of a box of the United States, and a place above its top edge.
    401: (25.9, -97.5),
    402: (49.5, -96.0),
    403: (40.0, -100.0),
    # In the notch of a concave polygon, and in its body.
    501: (48.2, 10.0),
    502: (47.1, 9.2),
    # Both sides of the antimeridian.
    601: (-17.0, 179.5),
    602: (-17.0, -179.5),
}


def made_station(number: int, lat: float, lon: float, **changes: Any) -> dict[str, Any]:
    station = {
        "ID": number,
        "UUID": f"00000000-0000-4000-8000-{number:012d}",
        "DataProviderID": 1,
        "OperatorID": 5,
        "UsageTypeID": 1,
        "StatusTypeID": 50,
        "SubmissionStatusTypeID": 200,
        "DateLastStatusUpdate": "2020-01-01T10:00:00Z",
        "DateCreated": "2019-01-01T10:00:00Z",
        "AddressInfo": {
            "ID": number + 10_000,
            "Title": f"Station {number}",
            "CountryID": 1,
            "Latitude": lat,
            "Longitude": lon,
        },
        "Connections": [
            {"ID": number, "ConnectionTypeID": TYPE_2, "LevelID": 2, "PowerKW": 22, "Quantity": 2}
        ],
    }
    station["AddressInfo"] |= changes.pop("address", {})
    return {**station, **changes}


def made_stations() -> list[dict[str, Any]]:
    stations = [made_station(number, *place) for number, place in PLACES.items()]
    far = {"lat": 60.0, "lon": 25.0}
    stations += [
        made_station(1001, **far, StatusTypeID=200),
        made_station(1002, **far, StatusTypeID=210),
        made_station(1003, **far, StatusTypeID=150),
        made_station(1004, **far, SubmissionStatusTypeID=1000),
        made_station(1005, **far, SubmissionStatusTypeID=1010),
        made_station(1006, **far, SubmissionStatusTypeID=100, address={"CountryID": 2}),
        made_station(
            1007,
            **far,
            Connections=[
                {"ID": 1, "ConnectionTypeID": TYPE_2, "PowerKW": 22, "CurrentTypeID": 20},
                {"ID": 2, "ConnectionTypeID": CCS, "PowerKW": 50, "CurrentTypeID": 30},
            ],
        ),
        made_station(1008, **far, Connections=[{"ID": 3, "ConnectionTypeID": CCS}]),
        made_station(
            1009,
            **far,
            Connections=[
                {
                    "ID": 4,
                    "ConnectionTypeID": TYPE_2,
                    "Amps": 32,
                    "Voltage": 400,
                    "CurrentTypeID": 20,
                    "LevelID": 3,
                }
            ],
        ),
        made_station(1010, **far, DateLastStatusUpdate="2021-11-07T16:36:00Z"),
        made_station(1011, **far, DataProviderID=15),
        made_station(1012, **far, address={"Postcode": "7814 XV"}),
        made_station(1013, **far, address={"Postcode": "25704"}),
        made_station(
            1014,
            **far,
            UserComments=[
                {
                    "ID": 9,
                    "ChargePointID": 1014,
                    "CommentTypeID": 10,
                    "UserName": "A",
                    "Comment": "Good",
                    "Rating": 5,
                    "DateCreated": "2015-12-25T15:46:03.333Z",
                    "CheckinStatusTypeID": 10,
                }
            ],
            MediaItems=[
                {
                    "ID": 8,
                    "ChargePointID": 1014,
                    "ItemURL": "https://example.org/a.jpg",
                    "IsEnabled": True,
                    "DateCreated": "2015-12-25T15:46:00Z",
                }
            ],
        ),
        made_station(
            1015,
            **far,
            address={
                "Title": '=HYPERLINK("http://evil")<script>&\'+ Łódź 🔌',
                "AddressLine1": 'Say "hello", \\ and]]> more\nlines',
                "AccessComments": "@SUM(A1)",
                "ContactTelephone1": "+31 20 123",
            },
            GeneralComments="A control \u0001 sign and \ufffe no character",
            UsageCost="",
        ),
    ]
    return stations + [made_station(2000 + i, 61.0 + i / 1000, 25.0) for i in range(150)]
