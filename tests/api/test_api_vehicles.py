"""Vehicles over the API: masked until bound, let go; what is missing is told with the offices."""

from tests.support.citizens import OFFICE, Citizen, Town


def owns(town: Town, citizen: Citizen, plate: str) -> None:
    """The registry learns that a vehicle is his."""
    path = town.house.folder / "vehicles.csv"
    person = citizen.person
    path.write_text(
        "plate,kind,owner_id_number,owner_name,owner_phone,registering_office,status\n"
        f"{plate},小型汽车,{person.id_number},{person.name},{person.phone},{OFFICE},正常\n",
        encoding="utf-8",
    )
    done = town.house.command("import", "vehicles", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_vehicle_is_bound_at_the_window_and_let_go_here(town: Town) -> None:
    citizen = town.registered()
    owns(town, citizen, "豫A77777")
    (seen,) = citizen.call("GET", "/vehicles").json()
    assert (seen["plate"], seen["bound"]) == ("豫A***77", False)
    town.face_sign(citizen.person)
    (seen,) = citizen.call("GET", "/vehicles").json()
    assert (seen["plate"], seen["bound"], seen["status"]) == ("豫A77777", True, "正常")
    path = f"/vehicles/{seen['id']}/binding"
    stranger = town.registered()
    assert stranger.call("DELETE", path).code == "not-found"
    (after,) = citizen.call("DELETE", path, key="unbind-once").json()
    assert not after["bound"]
    town.face_sign(citizen.person)
    (again,) = citizen.call("DELETE", path, key="unbind-once").json()
    assert again["bound"], "a late repetition undid what was bound since"
    (licence,) = citizen.call("DELETE", "/licences/binding").json()
    assert not licence["bound"]
    refused = citizen.call("POST", "/matters", {"service": "licence-deferral"})
    assert (refused.status, refused.code) == (403, "licence-not-bound")
    assert refused.json()["params"]["offices"][0]["code"] == OFFICE


def test_what_is_missing_is_told_with_the_offices_that_can_help(town: Town) -> None:
    citizen = town.registered()
    refused = citizen.call("POST", "/matters", {"service": "licence-deferral"}).json()
    assert refused["code"] == "not-allowed-tier"
    assert refused["params"]["missing"] == ["face_signed"]
    (office,) = refused["params"]["offices"]
    assert office["code"] == OFFICE
    assert all(office[part] in refused["next"] for part in ("name", "address", "hours", "phone"))
    assert "面签注册用户" in refused["detail"]
